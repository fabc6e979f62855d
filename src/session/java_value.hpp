#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace doorward::session {

/// Java's object serialization (Java Object Serialization Specification, section 6) of one String, Long, Integer, Short
/// or Boolean, read by its exact bytes: the text, the number in decimal, "true" or "false". Nothing for anything else.
[[nodiscard]] std::optional<std::string> read_java_value(std::string_view bytes);

[[nodiscard]] bool is_java_value(std::string_view bytes) noexcept;
/// ... and that of a String, if it can be read.
[[nodiscard]] bool is_java_text(std::string_view bytes) noexcept;

}  // namespace doorward::session
