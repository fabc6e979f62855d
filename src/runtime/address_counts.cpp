#include "doorward/runtime/address_counts.hpp"

#include <algorithm>
#include <cstring>

namespace doorward::runtime {

address_counts::client address_counts::client_of(address const& who) noexcept {
  // An IPv4 address is in the last four bytes, behind ::ffff; nobody's /64 begins with zeros and ends so.
  static constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  client c = 0;
  auto const from = std::equal(mapped.begin(), mapped.end(), who.begin()) ? who.data() + 8 : who.data();
  std::memcpy(&c, from, sizeof c);
  return c;
}

bool address_counts::enter(address const& who) {
  if (most_ == 0) return true;
  auto const c = client_of(who);
  auto& s = shard_of(c);
  std::lock_guard const hold(s.lock);
  auto& count = s.open[c];
  if (count >= most_) return false;
  ++count;
  return true;
}

void address_counts::leave(address const& who) noexcept {
  if (most_ == 0) return;
  auto const c = client_of(who);
  auto& s = shard_of(c);
  std::lock_guard const hold(s.lock);
  // Who has nothing open is forgotten, or the addresses of a botnet would stay for ever.
  if (auto const at = s.open.find(c); at != s.open.end() && --at->second == 0) s.open.erase(at);
}

}  // namespace doorward::runtime
