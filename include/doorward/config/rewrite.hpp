#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "doorward/config/model.hpp"

namespace doorward::config {

/// What `strip_prefix` or `rewrite` of `r` makes of `path`: one reading of a path that `r` matches, or its pattern.
/// Nothing where it cannot be done, or would bring "//" to the front.
[[nodiscard]] std::optional<std::string> rewrite(route_config const& r, std::string_view path);

/// The other way round: a pattern of those paths that `r` turns into what the pattern `rewritten` matches. It may match
/// more than `r` does.
[[nodiscard]] std::string before_rewrite(route_config const& r, std::string_view rewritten);

}  // namespace doorward::config
