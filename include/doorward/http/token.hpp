#pragma once

#include <array>
#include <string_view>

namespace doorward::http {

namespace detail {
inline constexpr auto token_bytes = [] {
  std::array<bool, 256> table{};
  for (auto const c : std::string_view("!#$%&'*+-.^_`|~"
                                       "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();
}  // namespace detail

/// What names and methods are made of (tchar, RFC 9110 section 5.6.2).
[[nodiscard]] constexpr bool is_token_byte(unsigned char c) noexcept {
  return detail::token_bytes[c];
}

}  // namespace doorward::http
