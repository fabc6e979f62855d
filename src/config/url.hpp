#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/complaint.hpp"
#include "doorward/config/model.hpp"

namespace doorward::config {

/// What a Redis URL says.
struct redis_url {
  endpoint server;
  unsigned database = 0;
  std::optional<std::string> username;
  std::optional<redacted> password;
};

inline constexpr unsigned max_redis_database = 65'535;

/// `redis://user:password@host:port/db` (port 6379 and db 0 when left out) or
/// `unix:///run/redis.sock?db=0&username=...&password=...`; both percent-decoded.
[[nodiscard]] parsed<redis_url> parse_redis_url(std::string_view text);

/// `http://host[:port]` or `https://host[:port]` with nothing behind it, or `unix:/path`.
[[nodiscard]] parsed<endpoint> parse_upstream_url(std::string_view text);

/// `scheme://host[:port]` of http or https, as browsers write it in Origin (RFC 6454 section 6.1): lower case, the
/// scheme's own port left out. An empty text stays empty.
[[nodiscard]] parsed<std::string> parse_origin(std::string_view text);

}  // namespace doorward::config
