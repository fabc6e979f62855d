#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "doorward/config/model.hpp"

namespace doorward::config {

/// The text behind a byte order mark, which is harmless but no column.
[[nodiscard]] std::string_view without_mark(std::string_view text) noexcept;

/// Characters (code points) in UTF-8 text: columns count these, because that is what editors show.
[[nodiscard]] std::size_t characters(std::string_view utf8) noexcept;

/// The text of line `number` (from 1), without its line end; empty when there is no such line.
[[nodiscard]] std::string_view line_of(std::string_view text, std::size_t number) noexcept;

/// The position of byte `offset`.
[[nodiscard]] position position_of(std::string_view text, std::size_t offset) noexcept;

/// The offset of the first byte that has no business in a configuration file: not UTF-8, or a control character other
/// than tab and line ends (a carriage return only in front of a line feed). nullopt when the text is clean.
[[nodiscard]] std::optional<std::size_t> find_bad_byte(std::string_view text) noexcept;

/// A source line fit to be shown: passwords and keys written into it are covered with `*`, character for character, so
/// that a caret below it still points at the same place.
[[nodiscard]] std::string mask_secrets(std::string_view line);

}  // namespace doorward::config
