#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/config/model.hpp"
#include "doorward/session/path_tree.hpp"

namespace doorward::session {

/// Fields of a session hash that mean something to doorward itself.
enum class field { user, roles, created, last_seen, absolute_until, idle, ended, acr, auth_time };
inline constexpr std::size_t own_fields = 9;

/// Written by doorward where a session's limits differ from the configured ones.
inline constexpr std::string_view absolute_until_name = "doorward.absoluteUntil";  ///< ms since the epoch
inline constexpr std::string_view idle_name = "doorward.idle";                     ///< seconds

/// Stands alone where a session was that somebody else ended, and says why: "expired", "displaced", "revoked".
inline constexpr std::string_view ended_name = "doorward.ended";
/// How and when its user last logged in, where the identity service says so in the grant's options.
inline constexpr std::string_view acr_name = "doorward.acr";             ///< a level: 1, 2, ...
inline constexpr std::string_view auth_time_name = "doorward.authTime";  ///< ms since the epoch

/// Where its user logged in, for the list of sessions.
inline constexpr std::string_view address_name = "doorward.address";
inline constexpr std::string_view device_name = "doorward.device";
/// What its user logged in with: agent_digest of the User-Agent, for `session.bind`, and http::device_class of it, for
/// `session.limit.per_device`.
inline constexpr std::string_view agent_name = "doorward.agent";
inline constexpr std::string_view device_class_name = "doorward.deviceClass";

/// Which fields of a session hash are wanted, and where each goes. Compiled with the configuration, immutable, read by
/// many. Two names that are equal share a slot.
class field_layout {
public:
  using slot = std::size_t;
  static constexpr slot none = static_cast<slot>(-1);

  /// `custom`: fields that header templates and `allow` speak of; repetitions are fine.
  explicit field_layout(config::session_fields const& names, std::span<std::string const> custom = {});

  /// The slot of a wanted field; `none` for any other name.
  [[nodiscard]] slot find(std::string_view name) const noexcept;
  [[nodiscard]] slot at(field f) const noexcept { return own_[static_cast<std::size_t>(f)]; }
  [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }
  [[nodiscard]] std::string_view name(slot s) const noexcept { return names_[s]; }
  /// The same names as places in a document, for encodings that have such.
  [[nodiscard]] path_tree const& paths() const noexcept { return paths_; }

private:
  slot add(std::string_view name);

  // Most fields of a foreign record are not wanted, and most of those differ in length already.
  static constexpr std::size_t lengths = 64;
  static constexpr std::size_t masked = 64;

  std::vector<std::string> names_;
  path_tree paths_;
  std::array<std::uint64_t, lengths> by_length_{};  ///< bit s: slot s has a name of this length (modulo `lengths`)
  std::array<slot, own_fields> own_{};
};

}  // namespace doorward::session
