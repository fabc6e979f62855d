#include "doorward/http/signed_ids.hpp"

#include <openssl/crypto.h>

#include <algorithm>

#include "doorward/base/encoding.hpp"
#include "doorward/http/cookies.hpp"

namespace doorward::http {
namespace {

struct parts {
  std::string_view id, kid, mac;
};

// From the end, because an id may hold dots too. Nothing when the dots are not where they have to be.
std::optional<parts> take_apart(std::string_view value) noexcept {
  constexpr auto tail = signed_ids::tail_length;
  if (value.size() <= tail) return std::nullopt;
  auto const end = value.substr(value.size() - tail);
  constexpr auto second_dot = 1 + signed_ids::kid_length;
  if (end[0] != '.' || end[second_dot] != '.') return std::nullopt;
  return parts{value.substr(0, value.size() - tail), end.substr(1, signed_ids::kid_length), end.substr(second_dot + 1)};
}

// The first `length` characters of the digest in base64url.
template <std::size_t length>
std::array<char, length> text_of(hmac_sha256::value const& digest) noexcept {
  constexpr auto bytes = (length * 6 + 7) / 8;
  std::array<char, (bytes * 4 + 2) / 3> all;
  base64url(std::span(digest).template first<bytes>(), all.data());
  std::array<char, length> out;
  std::copy_n(all.begin(), length, out.begin());
  return out;
}

}  // namespace

signed_ids::signed_ids(std::string_view cookie_name, std::span<redacted const> keys)
    : message_start_("doorward.cookie:" + std::string(cookie_name) + ':') {
  for (auto const& secret : keys) {
    hmac_sha256 hmac(secret.reveal());
    auto const kid = text_of<kid_length>(hmac({"doorward.kid"}));
    keys_.push_back({std::move(hmac), std::string(kid.data(), kid.size())});
  }
}

std::vector<std::string> signed_ids::kids() const {
  std::vector<std::string> all;
  for (auto const& k : keys_)
    all.push_back(k.kid);
  return all;
}

signed_ids::mac signed_ids::mac_of(key const& k, std::string_view id) const noexcept {
  return text_of<mac_length>(k.hmac({message_start_, id}));
}

std::string signed_ids::sign(std::string_view id) const {
  std::string value(id);
  if (keys_.empty()) return value;
  auto const m = mac_of(keys_.front(), id);
  value.append(1, '.').append(keys_.front().kid).append(1, '.').append(m.data(), m.size());
  return value;
}

std::optional<signature_trouble> signed_ids::find_trouble(std::string_view value) const noexcept {
  using enum signature_trouble;
  auto const no_id = [](std::string_view text) { return !is_session_id(text); };
  if (keys_.empty()) return no_id(value) ? std::optional(malformed) : std::nullopt;
  auto const p = take_apart(value);
  if (!p) return no_id(value) ? malformed : missing;
  if (no_id(p->id)) return malformed;
  auto const is_named = [&](key const& k) { return k.kid == p->kid; };
  return std::ranges::any_of(keys_, is_named) ? std::nullopt : std::optional(unknown_key);
}

std::string_view signed_ids::id_in(std::string_view value) const noexcept {
  if (find_trouble(value)) return {};
  if (keys_.empty()) return value;
  auto const p = *take_apart(value);
  for (auto const& k : keys_) {
    if (k.kid != p.kid) continue;
    auto const good = mac_of(k, p.id);
    if (CRYPTO_memcmp(good.data(), p.mac.data(), good.size()) == 0) return p.id;
  }
  return {};
}

}  // namespace doorward::http
