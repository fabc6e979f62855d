#pragma once

#include <string>
#include <string_view>

#include "doorward/config/model.hpp"

/// The one place where an id becomes a key, and where those of its user are named. Nobody else may put one together.
///
/// With `store_hashed` the key holds the id's SHA-256 in lower-case hexadecimal instead, so that whoever reads Redis,
/// or a copy of it, has no id to come with. With `layout: tagged` a user's keys have the same tag between their first
/// braces, so that a Redis Cluster keeps them in one slot; an id then begins with that tag and a dot, because a session
/// is found by its id alone (docs/redis.md).
namespace doorward::session {

/// Where the session of an id is in Redis. `id` comes without a signature, and fits the layout.
[[nodiscard]] std::string key_of(config::session_config const& c, std::string_view id);

/// The same into `key`, whose capacity is used again.
void assign_key(std::string& key, config::session_config const& c, std::string_view id);

/// False for what cannot be an id in this layout, though its characters could be one's.
[[nodiscard]] bool fits_layout(config::session_config const& c, std::string_view id) noexcept;

/// A new id for a session of `user`.
[[nodiscard]] std::string new_id(config::session_config const& c, std::string_view user);

/// The tag of a user: the first four hexadecimal digits of the SHA-256 of the name. Empty with `layout: plain`.
[[nodiscard]] std::string tag_of_user(config::session_config const& c, std::string_view user);
/// The tag that an id begins with; empty with `layout: plain`, and for an id that has none.
[[nodiscard]] std::string_view tag_of_id(config::session_config const& c, std::string_view id) noexcept;

/// What stands around a user's name in the key of the index, and in that of the time of the last log-out everywhere.
[[nodiscard]] config::affixes index_affixes(config::session_config const& c, std::string_view tag);
[[nodiscard]] config::affixes ended_affixes(config::session_config const& c, std::string_view tag);

/// `inner` between the two.
[[nodiscard]] std::string between(config::affixes const& a, std::string_view inner);

}  // namespace doorward::session
