#include "doorward/base/encoding.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>

#include "doorward/base/utf8.hpp"

namespace doorward {
namespace {

constexpr char lower_hex[] = "0123456789abcdef";
constexpr char upper_hex[] = "0123456789ABCDEF";

void append_percent(std::string& out, unsigned char c) {
  char const triple[]{'%', upper_hex[c >> 4], upper_hex[c & 15]};
  out.append(triple, 3);
}

}  // namespace

std::string base64url(std::span<unsigned char const> bytes) {
  std::string out((bytes.size() * 4 + 2) / 3, '\0');
  base64url(bytes, out.data());
  return out;
}

char* base64url(std::span<unsigned char const> bytes, char* out) noexcept {
  static constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::uint32_t bits = 0;
  int count = 0;
  for (auto const b : bytes) {
    bits = (bits << 8) | b;
    count += 8;
    while (count >= 6) {
      count -= 6;
      *out++ = alphabet[(bits >> count) & 63];
    }
  }
  if (count > 0) *out++ = alphabet[(bits << (6 - count)) & 63];
  return out;
}

void append_hex(std::string& out, std::span<unsigned char const> bytes) {
  for (auto const b : bytes) {
    out += lower_hex[b >> 4];
    out += lower_hex[b & 15];
  }
}

void hex64(std::uint64_t value, char* out) noexcept {
  for (int i = 15; i >= 0; --i) {
    out[i] = lower_hex[value & 15];
    value >>= 4;
  }
}

std::string base64(std::span<unsigned char const> bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // and the zero that OpenSSL adds
  auto* const to = reinterpret_cast<unsigned char*>(out.data());
  auto const n = ::EVP_EncodeBlock(to, bytes.data(), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

std::string sha1_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  std::size_t size = 0;
  if (EVP_Q_digest(nullptr, "SHA1", nullptr, text.data(), text.size(), bytes.data(), &size) != 1)
    throw std::runtime_error("SHA-1 failed");
  std::string out;
  append_hex(out, std::span(bytes).first(size));
  return out;
}

void append_query_encoded(std::string& out, std::string_view text) {
  for (auto const c : text) {
    auto const b = static_cast<unsigned char>(c);
    if (is_unreserved(b) || c == '/')
      out += c;
    else
      append_percent(out, b);
  }
}

bool append_header_value(std::string& out, std::string_view text) {
  bool printable = true;
  for (auto const c : text) {
    if (c == '\r' || c == '\n' || c == '\0') return false;
    printable &= c >= 0x20 && c <= 0x7e;
  }
  if (printable) {
    out += text;
    return true;
  }
  for (auto const c : text) {
    if (c >= 0x20 && c <= 0x7e && c != '%')
      out += c;
    else
      append_percent(out, static_cast<unsigned char>(c));
  }
  return true;
}

void append_html_escaped(std::string& out, std::string_view text) {
  for (auto const c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
}

void append_json_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    auto const c = text.front();
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
      text.remove_prefix(1);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char const unit[]{'\\', 'u', '0', '0', lower_hex[c >> 4], lower_hex[c & 15]};
      out.append(unit, sizeof unit);
      text.remove_prefix(1);
    } else if (auto const n = utf8_length(text); n > 0) {
      out += text.substr(0, n);
      text.remove_prefix(n);
    } else {
      out += "\\ufffd";
      text.remove_prefix(1);
    }
  }
}

bool percent_decode(std::string& out, std::string_view text) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return false;
    auto const high = hex_value(text[i + 1]);
    auto const low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

bool iequals(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) { return to_lower(x) == to_lower(y); });
}

}  // namespace doorward
