#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <variant>

namespace doorward::config {

/// Why a text is not the value it should be. `text` never quotes the value: it may be a secret out of an environment
/// variable or a file. Only `suggestion` may, and the reader drops it for interpolated values.
struct complaint {
  std::string text;
  std::string suggestion;
  std::size_t offset;  ///< byte of the value at which it goes wrong

  explicit complaint(std::string what, std::string fix = {}, std::size_t at = 0)
      : text(std::move(what)), suggestion(std::move(fix)), offset(at) {}
};

/// What a parser of values returns.
template <class T>
using parsed = std::variant<T, complaint>;

/// What every key and value says whose feature comes with a later version.
inline constexpr char not_available_yet[] = "not available yet";

}  // namespace doorward::config
