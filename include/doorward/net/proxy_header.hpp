#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace doorward::net {

/// What stands in front of a connection that came through a proxy of the lower layers: the PROXY protocol, version 1
/// (a line of text) or 2 (binary); HAProxy's "The PROXY protocol, versions 1 & 2".
struct proxy_header {
  enum class state : std::uint8_t {
    complete,
    incomplete,  ///< so far it may be one
    malformed,   ///< it is none, or of a kind that is not for TCP
  };
  state outcome = state::incomplete;
  std::size_t size = 0;                   ///< bytes, once it is complete
  bool local = false;                     ///< the proxy speaks for itself (a health check)
  bool unknown = false;                   ///< it speaks for somebody it cannot name
  std::array<std::uint8_t, 16> source{};  ///< IPv4 mapped into IPv6; where neither of these
};

/// No header is longer: those of version 2 say their length, and what they append to the addresses is small.
inline constexpr std::size_t longest_proxy_header = 4096;

/// Reads the header at the front of `bytes`, of which more may come.
[[nodiscard]] proxy_header read_proxy_header(std::string_view bytes) noexcept;

}  // namespace doorward::net
