#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "doorward/base/result.hpp"
#include "doorward/base/time.hpp"

namespace doorward::auth {

/// What an identity service says of somebody who has just logged in (README.md, "The identity service's side").
struct grant {
  /// Fields of the session record, in the order given: strings as they are, numbers and booleans as text, arrays of
  /// strings joined by ','.
  std::vector<std::pair<std::string, std::string>> fields;
  bool remember = false;                     ///< the longer lifetimes apply
  std::optional<std::chrono::seconds> idle;  ///< instead of the configured one
  std::optional<std::chrono::seconds> absolute;
  bool revoke_others = false;         ///< the user's other sessions end
  std::optional<unsigned> acr;        ///< the level of the login
  std::optional<epoch_ms> auth_time;  ///< when it was, where that is not now

  [[nodiscard]] std::string_view field(std::string_view name) const noexcept;
};

/// Reads `Doorward-Grant` (a flat JSON object) and `Doorward-Grant-Options` (`;`-separated; empty when absent).
/// `user_field` must be there and not empty. errc::bad_grant for anything else than described, for names or options
/// nobody knows, for more than 64 fields or 16 KiB, and for text that could not be sent as a header: a login is refused
/// rather than half understood. An `auth_time` that is ahead of `now` is refused too, where clocks do not explain it;
/// within that it is `now`.
[[nodiscard]] result<grant> parse_grant(std::string_view json, std::string_view options, std::string_view user_field,
                                        epoch_ms now = wall_now());

/// How far the clocks of doorward, of Redis and of the identity service may be apart.
inline constexpr milliseconds most_clock_skew{60'000};

/// A level of a login (`acr`): a whole number from 0 to most_level; nothing for any other text.
inline constexpr unsigned most_level = 99;
[[nodiscard]] std::optional<unsigned> parse_level(std::string_view text) noexcept;

}  // namespace doorward::auth
