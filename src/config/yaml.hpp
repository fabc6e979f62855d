#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "config/node.hpp"
#include "config/problem_list.hpp"

namespace doorward::config {

inline constexpr std::size_t max_file_bytes = 1024 * 1024;
inline constexpr std::size_t max_nodes = 50'000;  ///< after aliases have been expanded
inline constexpr std::size_t max_depth = 32;

/// Reads one YAML document. What makes the text unreadable is the only problem reported and gives nullopt; what is
/// merely wrong (a key twice, a tag, `<<`) is reported and reading goes on.
[[nodiscard]] std::optional<node> parse_yaml(std::string_view text, problem_list& problems);

}  // namespace doorward::config
