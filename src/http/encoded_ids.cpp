#include "doorward/http/encoded_ids.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>

#include "doorward/base/encoding.hpp"
#include "doorward/base/jws.hpp"
#include "doorward/http/cookies.hpp"

namespace doorward::http {
namespace {

using enum signature_trouble;

constexpr std::string_view mark = "s:";
constexpr std::size_t mac_length = 43;  // 256 bits, and the "=" at the end is left out

bool is_base64(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

// What base64 encoders make, and no other spelling of it: whole groups, and nothing in the bits that are left over.
bool decode_base64(std::string_view text, std::string& out) {
  out.clear();
  if (text.empty() || text.size() % 4 != 0) return false;
  text.remove_suffix(text.ends_with("==") ? 2U : text.ends_with('=') ? 1U : 0U);
  if (!std::ranges::all_of(text, is_base64)) return false;
  // Its two other characters have to be those of base64url (RFC 4648 section 5).
  std::string other(text);
  std::ranges::replace(other, '+', '-');
  std::ranges::replace(other, '/', '_');
  return append_base64url_decoded(out, other);
}

struct parts {
  std::string_view id, mac;
};

// As cookie-signature takes them apart: at the last dot.
std::optional<parts> take_apart(std::string_view decoded) noexcept {
  auto const dot = decoded.rfind('.');
  if (!decoded.starts_with(mark) || dot == decoded.npos || dot < mark.size()) return std::nullopt;
  return parts{decoded.substr(mark.size(), dot - mark.size()), decoded.substr(dot + 1)};
}

bool is_mac(std::string_view text) noexcept {
  return text.size() == mac_length && std::ranges::all_of(text, is_base64);
}

std::array<char, 44> mac_of(hmac_sha256 const& secret, std::string_view id) noexcept {
  auto const digest = secret({id});
  std::array<char, 44> text{};
  base64url(digest, text.data());
  for (auto& c : text)
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  return text;
}

}  // namespace

encoded_ids::encoded_ids(codec c, std::span<redacted const> secrets) : codec_(c) {
  if (c != codec::express) return;
  for (auto const& s : secrets)
    secrets_.emplace_back(s.reveal());
}

std::optional<signature_trouble> encoded_ids::find_trouble(std::string_view value) const {
  if (value.size() > longest) return malformed;
  std::string decoded;
  if (codec_ == codec::base64)
    return decode_base64(value, decoded) && is_session_id(decoded) ? std::nullopt : std::optional(malformed);
  if (codec_ == codec::none) return is_session_id(value) ? std::nullopt : std::optional(malformed);
  if (!percent_decode(decoded, value)) return malformed;
  auto const p = take_apart(decoded);
  if (!p) return is_session_id(decoded) ? missing : malformed;
  return is_session_id(p->id) && is_mac(p->mac) ? std::nullopt : std::optional(malformed);
}

bool encoded_ids::id_in(std::string_view value, std::string& id) const {
  id.clear();
  if (find_trouble(value)) return false;
  if (codec_ == codec::none) {
    id = value;
    return true;
  }
  if (codec_ == codec::base64) return decode_base64(value, id);
  std::string decoded;
  if (!percent_decode(decoded, value)) return false;
  auto const p = *take_apart(decoded);
  for (auto const& secret : secrets_) {
    auto const good = mac_of(secret, p.id);
    if (CRYPTO_memcmp(good.data(), p.mac.data(), mac_length) != 0) continue;
    id = p.id;
    return true;
  }
  return false;
}

std::string encoded_ids::encode(std::string_view id) const {
  std::string value(id);
  if (codec_ == codec::base64) {
    value = base64({reinterpret_cast<unsigned char const*>(id.data()), id.size()});
  } else if (codec_ == codec::express && !secrets_.empty()) {
    auto const good = mac_of(secrets_.front(), id);
    std::string const plain = std::string(mark).append(id).append(1, '.').append(good.data(), mac_length);
    value.clear();
    for (char const c : plain) {
      // encodeURIComponent, as far as these characters go.
      if (c == ':')
        value += "%3A";
      else if (c == '+')
        value += "%2B";
      else if (c == '/')
        value += "%2F";
      else
        value += c;
    }
  }
  return value;
}

}  // namespace doorward::http
