#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "doorward/base/errc.hpp"

/// The closed lists that metric labels (and some fields of the access log) take their values from. A label whose value
/// came from a request would let any client fill the memory of the monitoring system.
namespace doorward::obs {

/// What was done with a request: one of a few ways it went through, or the reason it was refused for.
class decision {
public:
  enum outcome : std::uint8_t {
    forward = 200,  ///< sent to the route's upstream
    respond,        ///< the route's fixed answer
    redirect,       ///< sent to the login page
    login,          ///< sent to the identity service
    logout,         ///< a log-out was carried out
    own,            ///< one of doorward's own endpoints
    allow,          ///< a proxy in front asked, and was told to let it through
  };

  // Implicit on purpose: whoever counts writes `decision::forward` or `errc::forbidden`.
  constexpr decision(outcome o) noexcept : value_(o) {}
  constexpr decision(errc refused) noexcept : value_(static_cast<std::uint8_t>(refused)) {}

  [[nodiscard]] constexpr bool is_refusal() const noexcept { return value_ < forward; }
  /// "forward", ... for an outcome, the stable code (`errc_info::code`) for a refusal.
  [[nodiscard]] std::string_view name() const noexcept;
  /// The finer reason of a refusal (`errc_info::reason`); empty for an outcome.
  [[nodiscard]] std::string_view reason() const noexcept;

  [[nodiscard]] constexpr std::uint8_t value() const noexcept { return value_; }
  [[nodiscard]] static constexpr decision from_value(std::uint8_t v) noexcept {
    return decision(static_cast<outcome>(v));
  }
  friend constexpr bool operator==(decision, decision) noexcept = default;

private:
  std::uint8_t value_;
};

/// How looking up a session ended.
enum class lookup_result : std::uint8_t {
  hit,          ///< Redis knows it
  miss,         ///< Redis does not
  ghost,        ///< a key without a user, of another type, or past its absolute limit
  malformed,    ///< no cookie value could be an id; Redis was not asked
  coalesced,    ///< joined a look-up of the same id that was about to leave
  cached,       ///< answered by the near-cache
  error,        ///< Redis could not answer
  elsewhere,    ///< Redis knows it, and it is bound to another place (`session.bind`)
  undecodable,  ///< Redis has something that is not what `session.encoding` says
};
inline constexpr std::size_t lookup_results = 9;
[[nodiscard]] std::string_view name(lookup_result r) noexcept;

/// Why a session ended.
enum class end_reason : std::uint8_t {
  logout,      ///< by its user
  everywhere,  ///< by its user, with all the others
  replaced,    ///< came with a login, and went by it
  revoked,     ///< `revoke=others` of a grant, the sessions page, or the command line
  displaced,   ///< the limit of sessions per user was reached
  expired,     ///< found past its absolute limit; counted each time, for Redis is left to remove it
};
inline constexpr std::size_t end_reasons = 6;
[[nodiscard]] std::string_view name(end_reason r) noexcept;

/// Why a tunnel or an event stream ended before its time: its session did.
enum class stream_end : std::uint8_t {
  logout,     ///< its user logged out, there or everywhere
  replaced,   ///< it came with a login, and went by it
  revoked,    ///< its user ended it from elsewhere, or an operator
  displaced,  ///< a later login of its user ended it
  expired,    ///< past its absolute limit, or idle for too long
  gone,       ///< Redis has no such session any more, and nobody said why
  changed,    ///< it is somebody else's now
  forbidden,  ///< the session goes on, but the route's `allow` does not hold any more
};
inline constexpr std::size_t stream_ends = 8;
[[nodiscard]] std::string_view name(stream_end e) noexcept;

/// How extending a session's idle time ended.
enum class touch_result : std::uint8_t {
  extended,
  gone,   ///< the key was gone by then; nothing was written
  error,  ///< Redis could not answer
};
inline constexpr std::size_t touch_results = 3;
[[nodiscard]] std::string_view name(touch_result r) noexcept;

/// How a client's TLS handshake ended.
enum class handshake_result : std::uint8_t {
  full,
  resumed,  ///< with a ticket of an earlier one
  failed,   ///< refused by one of the two, broken off, or not done in time
};
inline constexpr std::size_t handshake_results = 3;
[[nodiscard]] std::string_view name(handshake_result r) noexcept;

/// Why a login was turned away although nothing was wrong with it.
enum class shed_reason : std::uint8_t {
  queue_full,     ///< as many waited as may
  queue_timeout,  ///< it waited as long as one may
};
inline constexpr std::size_t shed_reasons = 2;
[[nodiscard]] std::string_view name(shed_reason r) noexcept;

/// Whose failed logins led to a ban.
enum class banned_by : std::uint8_t { address, user };
inline constexpr std::size_t ban_kinds = 2;
[[nodiscard]] std::string_view name(banned_by b) noexcept;

}  // namespace doorward::obs
