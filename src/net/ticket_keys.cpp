#include "doorward/net/ticket_keys.hpp"

#include <algorithm>

#include "doorward/base/random.hpp"

namespace doorward::net {
namespace {

ticket_keys::key new_key() {
  ticket_keys::key k{};
  secure_random(k.name);
  secure_random(k.cipher);
  secure_random(k.mac);
  return k;
}

}  // namespace

void ticket_keys::renew_if_old(time_point now) {
  if (now_ && now - since_ < lifetime) return;
  // After a night without a handshake the key before is older than it may be.
  before_ = now_ && now - since_ < 2 * lifetime ? now_ : std::nullopt;
  now_ = new_key();
  since_ = now;
}

ticket_keys::key ticket_keys::current(time_point now) {
  std::lock_guard const hold(lock_);
  renew_if_old(now);
  return *now_;
}

std::optional<ticket_keys::found> ticket_keys::find(std::uint8_t const* name, time_point now) {
  std::lock_guard const hold(lock_);
  renew_if_old(now);
  auto const is = [name](std::optional<key> const& k) { return k && std::equal(k->name.begin(), k->name.end(), name); };
  if (is(now_)) return found{*now_, false};
  if (is(before_)) return found{*before_, true};
  return std::nullopt;
}

}  // namespace doorward::net
