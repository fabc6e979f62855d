#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <string_view>

namespace doorward::session {

/// `n` in decimal, written into `digits`, which has room for any integer of 64 bits.
template <class N>
[[nodiscard]] std::string_view in_decimal(std::array<char, 32>& digits, N n) noexcept {
  auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
  return {digits.data(), static_cast<std::size_t>(end - digits.data())};
}

}  // namespace doorward::session
