#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::config {

/// How many letters must be inserted, removed, replaced or swapped with their neighbour to turn `a` into `b`.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that `word` is most likely a misspelling of; nullopt when none is near enough.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, std::vector<std::string> const& candidates);

/// "did you mean `auth`?", else "known here: a, b and c" when those are few, else nothing.
[[nodiscard]] std::string suggest(std::string_view word, std::vector<std::string> const& candidates);

/// "a, b or c" with each word in backticks; `last` is the joining word.
[[nodiscard]] std::string enumerate(std::vector<std::string> const& words, std::string_view last);

}  // namespace doorward::config
