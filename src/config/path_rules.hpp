#pragma once

#include <string>
#include <string_view>

#include "config/complaint.hpp"

/// http::path_pattern says what a pattern means; here is what to tell somebody who wrote a wrong one, and where.
namespace doorward::config {

/// A path in the form doorward matches and forwards (contract C7), without anything servers read differently and
/// without wildcards.
[[nodiscard]] parsed<std::string> parse_path(std::string_view text);

/// A route's path: literal segments, `*` for one whole segment, `**` for the rest (last only).
[[nodiscard]] parsed<std::string> parse_pattern(std::string_view text);

[[nodiscard]] bool has_wildcard(std::string_view pattern) noexcept;

/// `path` is doorward's own: under /.doorward, which is never routed.
[[nodiscard]] bool is_own_path(std::string_view path) noexcept;

}  // namespace doorward::config
