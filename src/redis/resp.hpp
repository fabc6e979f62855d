#pragma once

#include <span>
#include <string>
#include <string_view>

namespace doorward::redis {

/// Writes a command in RESP2 into `out`, which it clears before: lengths are explicit, so an argument may hold
/// anything.
void format_command(std::string& out, std::span<std::string_view const> argv);

}  // namespace doorward::redis
