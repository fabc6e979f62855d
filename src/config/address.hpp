#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/complaint.hpp"
#include "doorward/config/model.hpp"

namespace doorward::config {

inline constexpr char unix_prefix[] = "unix:";

/// `host:port`, `[::1]:8080` or `unix:/path`. Port 0 is allowed: any free one.
[[nodiscard]] parsed<endpoint> parse_listen(std::string_view text);

/// The `/path` of a unix socket: absolute, and short enough for the kernel (unix(7)).
[[nodiscard]] parsed<endpoint> parse_unix_path(std::string_view path);

/// `10.0.0.0/8`, `fd00::/8`, or an address alone.
[[nodiscard]] parsed<cidr> parse_cidr(std::string_view text);
[[nodiscard]] std::string cidr_text(cidr const& block);

/// A DNS name or a literal IPv4 address (letters, digits, `-`, `_`, `.`).
[[nodiscard]] bool is_host_name(std::string_view text) noexcept;
/// An IPv6 address without brackets; a zone (`%eth0`) is allowed.
[[nodiscard]] bool is_ipv6(std::string_view text);
/// 1 to 5 digits, at most 65535.
[[nodiscard]] std::optional<std::uint16_t> port_number(std::string_view text) noexcept;

/// Only this machine can reach it: a unix socket, 127.0.0.0/8, ::1 or localhost.
[[nodiscard]] bool is_local(endpoint const& e);

/// `host:port` with brackets where needed, or `unix:/path`.
[[nodiscard]] std::string endpoint_text(endpoint const& e);

}  // namespace doorward::config
