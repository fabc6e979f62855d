#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "doorward/base/encoding.hpp"

/// What the bytes of a path mean, for the units that read paths.
namespace doorward::http::detail {

/// Things in a canonical path that servers read in different ways.
enum feature : unsigned {
  empty_segment = 1,       ///< "//"
  raw_semicolon = 2,       ///< ";"
  escaped_slash = 4,       ///< "%2F"
  escaped_backslash = 8,   ///< "%5C"
  escaped_semicolon = 16,  ///< "%3B"
  all_features = 31,
  swallowed = 32,  ///< one of these stood in a segment that a ".." removed
};

/// How a raw byte of a path is treated.
enum class byte_class : std::uint8_t {
  ordinary,
  slash,
  percent,
  semicolon,
  refused,  ///< controls, space, '#', '?', '\', DEL and everything from 0x80
};

/// How an escape is treated, by the byte it stands for.
enum class escape_class : std::uint8_t {
  unreserved,  ///< decoded in the canonical form
  reserved,    ///< stays; the byte may also stand unescaped
  kept,        ///< stays; the byte cannot stand unescaped
  slash,
  backslash,
  semicolon,
  refused,   ///< controls
  overlong,  ///< stays, unless the next escape makes it an overlong form of an ASCII byte
};

constexpr auto byte_classes = [] {
  std::array<byte_class, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    if (c <= ' ' || c >= 0x7f || c == '#' || c == '?' || c == '\\')
      table[c] = byte_class::refused;
    else if (c == '/')
      table[c] = byte_class::slash;
    else if (c == '%')
      table[c] = byte_class::percent;
    else if (c == ';')
      table[c] = byte_class::semicolon;
    else
      table[c] = byte_class::ordinary;
  }
  return table;
}();

constexpr auto escape_classes = [] {
  std::array<escape_class, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    if (c < ' ' || c == 0x7f)
      table[c] = escape_class::refused;
    else if (is_unreserved(c))
      table[c] = escape_class::unreserved;
    else if (c == '/')
      table[c] = escape_class::slash;
    else if (c == '\\')
      table[c] = escape_class::backslash;
    else if (c == ';')
      table[c] = escape_class::semicolon;
    else if (c == 0xc0 || c == 0xc1 || c == 0xe0 || c == 0xf0)
      table[c] = escape_class::overlong;
    else
      table[c] = byte_classes[c] == byte_class::ordinary ? escape_class::reserved : escape_class::kept;
  }
  return table;
}();

constexpr byte_class class_of(char c) noexcept {
  return byte_classes[static_cast<unsigned char>(c)];
}

/// The byte that the escape at `at` (where the '%' is) stands for, or -1.
constexpr int escape_value(std::string_view text, std::size_t at) noexcept {
  if (at + 2 >= text.size()) return -1;
  auto const high = hex_value(text[at + 1]);
  auto const low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/// True when `segment` is "." or "..".
constexpr bool is_dot_segment(std::string_view segment) noexcept {
  return segment == "." || segment == "..";
}

/// What came of resolving dot segments.
enum class dots {
  resolved,
  climbed,        ///< above the root
  removed_empty,  ///< a ".." took away an empty segment
};

/// RFC 3986 section 5.2.4, in place; `path` starts with '/'. Goes on after `removed_empty`, stops at `climbed`.
dots resolve_dots(std::string& path) noexcept;

}  // namespace doorward::http::detail
