#pragma once

#include <cstdint>
#include <string_view>

#include "doorward/config/model.hpp"
#include "doorward/session/record.hpp"

namespace doorward::session {

/// What a record looks like by its first bytes, for whoever has to find out why it cannot be read. A guess that nothing
/// but a message depends on.
enum class likeness : std::uint8_t {
  nothing,   ///< not looked at, or empty
  json,      ///< a JSON object or list
  php,       ///< PHP's `php` or `php_serialize`
  igbinary,  ///< PHP's igbinary
  pickle,    ///< Python's
  msgpack,
  java,      ///< Java serialization
  no_times,  ///< a hash without what Spring Session keeps its time by
  text,
  bytes,
};

[[nodiscard]] likeness likeness_of(std::string_view record) noexcept;

/// "a Python pickle": after "it looks like".
[[nodiscard]] std::string_view describe(likeness l) noexcept;

/// What to set, or to change in the program that writes the sessions, when a look-up came to `what` (malformed or
/// wrong_type).
[[nodiscard]] std::string_view hint_for(config::session_encoding e, outcome what, likeness l) noexcept;

}  // namespace doorward::session
