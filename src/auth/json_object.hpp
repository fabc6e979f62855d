#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace doorward::auth {

/// Parses a JSON object. False for anything else, and where a name comes twice: what it means differs from parser to
/// parser (RFC 8259 section 4). What lies deeper than an array in a member is left out.
[[nodiscard]] bool parse_object(std::string_view text, nlohmann::json& out);

}  // namespace doorward::auth
