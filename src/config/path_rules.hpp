#pragma once

#include <string>
#include <string_view>

#include "config/complaint.hpp"

/// Paths as values of the file. What makes a good one: http::path_pattern_problem.
namespace doorward::config {

/// A path in the form doorward matches and forwards (docs/security.md, "Paths"), without anything servers read
/// differently and without wildcards.
[[nodiscard]] parsed<std::string> parse_path(std::string_view text);

/// A route's path: literal segments, `*` for one whole segment, `**` for the rest (last only).
[[nodiscard]] parsed<std::string> parse_pattern(std::string_view text);

/// `path` is doorward's own: under /.doorward, which is never routed.
[[nodiscard]] bool is_own_path(std::string_view path) noexcept;

}  // namespace doorward::config
