#include "doorward/session/binding.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "doorward/base/encoding.hpp"

namespace doorward::session {
namespace {

struct network {
  std::array<std::uint8_t, 16> bytes{};  ///< an IPv4 address in the first four; zeros behind the prefix
  bool v6 = false;
  friend bool operator==(network const&, network const&) = default;
};

std::optional<network> network_of(std::string_view address) noexcept {
  // As the system's own function wants it: with a NUL behind it, and none inside.
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.empty() || address.size() >= text.size() || address.find('\0') != address.npos) return std::nullopt;
  std::ranges::copy(address, text.begin());
  network n;
  if (::inet_pton(AF_INET, text.data(), n.bytes.data()) == 1) {
    n.bytes[3] = 0;
    return n;
  }
  std::array<std::uint8_t, 16> v6{};
  if (::inet_pton(AF_INET6, text.data(), v6.data()) != 1) return std::nullopt;
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(mapped.begin(), mapped.end(), v6.begin())) {
    std::copy(v6.begin() + 12, v6.begin() + 15, n.bytes.begin());
    return n;
  }
  n.v6 = true;
  std::copy(v6.begin(), v6.begin() + 6, n.bytes.begin());
  return n;
}

}  // namespace

agent_digest_text agent_digest(std::string_view user_agent) {
  auto const whole = sha256(user_agent);
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < sizeof first; ++i)
    first = first << 8 | whole[i];
  agent_digest_text out;
  hex64(first, out.data());
  return out;
}

bool same_network(std::string_view a, std::string_view b) noexcept {
  auto const left = network_of(a);
  auto const right = network_of(b);
  return left || right ? left == right : a == b;
}

std::string network_name(std::string_view address) {
  auto const n = network_of(address);
  if (!n) return std::string(address);
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(n->v6 ? AF_INET6 : AF_INET, n->bytes.data(), text.data(), text.size());
  return std::string(text.data()) + (n->v6 ? "/48" : "/24");
}

}  // namespace doorward::session
