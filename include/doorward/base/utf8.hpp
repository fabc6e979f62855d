#pragma once

#include <cstddef>
#include <string_view>

namespace doorward {

/// How many bytes the UTF-8 sequence at the front of `text` has, which must not be empty; 0 when it is not UTF-8
/// (RFC 3629 section 4).
[[nodiscard]] std::size_t utf8_length(std::string_view text) noexcept;

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace doorward
