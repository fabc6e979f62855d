#pragma once

#include <string>
#include <string_view>

#include "doorward/config/model.hpp"

/// The one place where an id becomes a key. Nobody else may put one together: with `store_hashed` it holds the id's
/// SHA-256 in lower-case hexadecimal instead, so that whoever reads Redis, or a copy of it, has no id to come with.
namespace doorward::session {

/// Where the session of an id is in Redis. `id` comes without a signature.
[[nodiscard]] std::string key_of(config::session_config const& c, std::string_view id);

/// The same into `key`, whose capacity is used again.
void assign_key(std::string& key, config::session_config const& c, std::string_view id);

}  // namespace doorward::session
