#pragma once

#include <string>
#include <string_view>

#include "session/document_walk.hpp"

namespace doorward::session {

/// Walks a JSON object (RFC 8259) through `walk`, which has begun. False when it is none, when something follows it, or
/// when the walk says so. Work is bounded by the text's length; nothing is built, nothing thrown.
[[nodiscard]] bool read_json(std::string_view text, document_walk& walk);

/// One value as Spring's Jackson serializers write it: a text, a number, a boolean, or `["java.lang.Long", 1]`, which
/// names the value's class. `null` is no value.
enum class json_value { none, some, wrong };
[[nodiscard]] json_value read_json_value(std::string_view text, std::string& out);

}  // namespace doorward::session
