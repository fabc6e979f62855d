#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/complaint.hpp"
#include "doorward/config/model.hpp"

namespace doorward::config {

/// RFC 9110 section 5.6.2.
[[nodiscard]] bool is_token(std::string_view text) noexcept;

/// A name that can stand between `{` and `}`: no blanks, braces, `?` or control characters.
[[nodiscard]] bool is_field_name(std::string_view text) noexcept;

/// False for a name that begins with `/` and is no JSON pointer (RFC 6901 section 3): a `~` stands before `0` or `1`
/// only.
[[nodiscard]] bool is_field_path(std::string_view name) noexcept;

/// What speaks against injecting a header of this name; nullopt when nothing does.
[[nodiscard]] std::optional<complaint> check_header_name(std::string_view name);

/// Literal text, `{field}`, `{field?}`; `{{` and `}}` for braces.
[[nodiscard]] parsed<std::vector<header_template::part>> parse_template(std::string_view text);
[[nodiscard]] std::string template_text(std::vector<header_template::part> const& parts);

}  // namespace doorward::config
