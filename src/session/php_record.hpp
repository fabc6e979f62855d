#pragma once

#include <string_view>

#include "session/document_walk.hpp"

namespace doorward::session {

/// Walks what PHP's session handlers `php` and `php_serialize` write through `walk`, which has begun; which of them it
/// is shows in the text. Scalars and arrays are read; objects and references are passed over where nobody wants
/// anything of them. No object is ever built, so no class of the application runs. False when it is neither, when
/// something follows it, or when the walk says so. Work is bounded by the text's length.
[[nodiscard]] bool read_php(std::string_view text, document_walk& walk);

}  // namespace doorward::session
