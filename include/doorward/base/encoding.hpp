#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace doorward {

/// RFC 4648 section 5, without padding.
[[nodiscard]] std::string base64url(std::span<unsigned char const> bytes);
/// The same at `out`, which has room for 4 characters for each 3 bytes, rounded up; returns its end.
char* base64url(std::span<unsigned char const> bytes, char* out) noexcept;

/// Lower-case hexadecimal of the 64 bits, most significant first, 16 characters at `out`.
void hex64(std::uint64_t value, char* out) noexcept;

/// Appends lower-case hexadecimal.
void append_hex(std::string& out, std::span<unsigned char const> bytes);

/// RFC 4648 section 4, padded.
[[nodiscard]] std::string base64(std::span<unsigned char const> bytes);

/// FIPS 180-4. Takes nothing from the heap.
[[nodiscard]] std::array<unsigned char, 32> sha256(std::string_view text) noexcept;

/// The first 8 hexadecimal digits of SHA-256 of `text`: how a session is named in logs.
[[nodiscard]] std::array<char, 8> sha256_prefix(std::string_view text) noexcept;

/// Lower-case hexadecimal SHA-1, as EVALSHA names a script.
[[nodiscard]] std::string sha1_hex(std::string_view text);

/// Appends `text` for use inside a query component: everything but unreserved characters (RFC 3986 section 2.3) and
/// '/' is percent-encoded.
void append_query_encoded(std::string& out, std::string_view text);

/// Appends `text` as a header value: printable ASCII stays as it is except '%', every other byte is percent-encoded.
/// A value that is printable ASCII throughout is appended unchanged ('%' included), because that is what legacy
/// applications expect. Returns false, with `out` unchanged, when `text` holds CR, LF or NUL.
[[nodiscard]] bool append_header_value(std::string& out, std::string_view text);

/// Appends `text` with the characters that matter in HTML text and attribute values replaced.
void append_html_escaped(std::string& out, std::string_view text);

/// Appends `text` as the inside of a JSON string (RFC 8259 section 7). Bytes that are not UTF-8 become U+FFFD.
void append_json_escaped(std::string& out, std::string_view text);

/// One round of percent-decoding. False when a '%' is not followed by two hexadecimal digits; `out` then holds rubbish.
[[nodiscard]] bool percent_decode(std::string& out, std::string_view text);

/// Appends `n` in decimal.
void append_number(std::string& out, auto n) {
  std::array<char, 32> digits;
  auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

/// Without the blanks and tabs around it (OWS, RFC 9110 section 5.6.3).
[[nodiscard]] constexpr std::string_view trim(std::string_view text) noexcept {
  auto const first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The value of a hexadecimal digit, or -1.
[[nodiscard]] constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// RFC 3986 section 2.3.
[[nodiscard]] constexpr bool is_unreserved(unsigned c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

/// ASCII only; no locale.
[[nodiscard]] constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
[[nodiscard]] bool iequals(std::string_view a, std::string_view b) noexcept;

}  // namespace doorward
