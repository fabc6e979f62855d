#include "doorward/net/ticket_keys.hpp"

#include <openssl/crypto.h>

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

void wipe(std::optional<ticket_keys::key>& k) noexcept {
  if (k) OPENSSL_cleanse(&*k, sizeof *k);
  k.reset();
}

}  // namespace

ticket_keys::~ticket_keys() {
  wipe(now_);
  wipe(before_);
}

void ticket_keys::renew(time_point now) {
  std::lock_guard const hold(lock_);
  if (now_) renew_if_old(now);
}

void ticket_keys::renew_if_old(time_point now) {
  if (now_ && now - since_ < lifetime) return;
  // After a night without a handshake the key before is older than it may be.
  wipe(before_);
  if (now_ && now - since_ < 2 * lifetime)
    before_ = now_;
  else
    wipe(now_);
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
