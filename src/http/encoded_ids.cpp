#include "doorward/http/encoded_ids.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "doorward/base/encoding.hpp"
#include "doorward/http/cookies.hpp"

namespace doorward::http {
namespace {

using enum signature_trouble;

constexpr std::string_view mark = "s:";
constexpr std::size_t mac_length = 43;  // 256 bits, and the "=" at the end is left out

constexpr auto base64_values = [] {
  std::array<signed char, 256> table{};
  table.fill(-1);
  signed char n = 0;
  for (auto const c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
    table[static_cast<unsigned char>(c)] = n++;
  return table;
}();

signed char base64_value(char c) noexcept {
  return base64_values[static_cast<unsigned char>(c)];
}

// What base64 encoders make, and no other spelling of it: whole groups, and nothing in the bits that are left over.
bool decode_base64(std::string_view text, std::string& out) {
  out.clear();
  if (text.empty() || text.size() % 4 != 0) return false;
  auto const padding = text.ends_with("==") ? 2U : text.ends_with('=') ? 1U : 0U;
  text.remove_suffix(padding);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (char const c : text) {
    auto const six = base64_value(c);
    if (six < 0) return false;
    bits = (bits << 6) | static_cast<std::uint32_t>(six);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>((bits >> count) & 0xff);
  }
  return (bits & ((1U << count) - 1)) == 0;
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
  return text.size() == mac_length && std::ranges::all_of(text, [](char c) { return base64_value(c) >= 0; });
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
