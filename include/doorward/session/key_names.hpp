#pragma once

#include <string>
#include <string_view>

#include "doorward/config/model.hpp"

namespace doorward::session {

/// How the keys of sessions and of what belongs to their users are called (docs/redis.md). With `layout: tagged` a
/// user's keys have the same text between their first braces, so that a Redis Cluster keeps them in one slot; an id
/// then begins with that text, because a session is found by its id alone.
class key_names {
public:
  explicit key_names(config::session_config const& c);

  /// The tag of a user: the first four hexadecimal digits of the SHA-256 of the name. Empty with `layout: plain`.
  [[nodiscard]] std::string tag_of_user(std::string_view user) const;
  /// The tag that an id begins with; empty with `layout: plain`, and for an id that has none.
  [[nodiscard]] std::string_view tag_of_id(std::string_view id) const noexcept;

  /// False for what cannot be an id in this layout, though its characters could be one's.
  [[nodiscard]] bool fits(std::string_view id) const noexcept;
  /// A new id for a session of `user`.
  [[nodiscard]] std::string new_id(std::string_view user) const;

  /// Writes the key of a session into `out`, whose capacity is used again. `id` must fit.
  void session(std::string& out, std::string_view id) const;
  [[nodiscard]] std::string session(std::string_view id) const;

  /// What stands around a user's name in the key of the index, and in that of the time of the last log-out everywhere.
  [[nodiscard]] config::affixes index(std::string_view tag) const;
  [[nodiscard]] config::affixes ended(std::string_view tag) const;

private:
  bool tagged_;
  config::affixes session_;
  config::affixes index_;
};

/// `inner` between the two.
[[nodiscard]] std::string between(config::affixes const& a, std::string_view inner);

}  // namespace doorward::session
