#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "doorward/pipeline/exchange.hpp"

/// Routes that want a login of some level, or a fresh one: `require` (RFC 9470). docs/security.md, "Step-up".
namespace doorward::pipeline {

/// How and when somebody logged in.
struct login_facts {
  unsigned acr = 0;            ///< the level; 0 where nothing is said of it
  std::optional<epoch_ms> at;  ///< nothing where one cannot tell
};

/// What a session says: `doorward.acr`; and `doorward.authTime`, or where it has none, when it was created. What cannot
/// be read is no level, and a time that nobody can tell.
[[nodiscard]] login_facts login_facts_of(session::record const& r) noexcept;

/// A refusal that another login may lift.
[[nodiscard]] bool is_step_up(errc why) noexcept;

/// What keeps such a login from meeting `rule` at `now`: session_too_weak, then session_too_old; errc{} = nothing. A
/// time further ahead than clocks differ (auth::most_clock_skew) is no time to go by.
[[nodiscard]] errc shortfall(config::step_up_rule const& rule, login_facts const& login, epoch_ms now) noexcept;

/// Where a person goes on to after the login that x.response answers, once it has come: the answer's own Location, or
/// `next`. Empty when that is no path of this origin.
[[nodiscard]] std::string destination_after_login(exchange const& x);

/// What the route of `destination` (by GET) wants; nothing where there is no such route, or it wants nothing.
[[nodiscard]] config::step_up_rule wanted_at(exchange const& x, std::string_view destination);

/// What a refusal of this request asks a login for: the `require` of its route or, on the way back from the identity
/// service, of where that leads.
[[nodiscard]] config::step_up_rule wanted_of_login(exchange const& x, errc why);

/// The parameters that stand behind the scheme of WWW-Authenticate (RFC 9470 section 3), for session_too_weak and
/// session_too_old; empty for any other refusal.
[[nodiscard]] std::string step_up_challenge(config::step_up_rule const& rule, errc why);

/// Adds `acr=` and `max_age=` to the query of the login page's address, which begins with `login`.
void append_step_up(std::string& link, config::step_up_rule const& rule);

/// `name=value` to the query of `link`; both need no escapes.
void append_parameter(std::string& link, std::string_view name, std::string_view value);

}  // namespace doorward::pipeline
