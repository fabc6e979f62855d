#include <algorithm>

#include "doorward/auth/request_checks.hpp"
#include "pipeline/stages.hpp"
#include "pipeline/step_up.hpp"

namespace doorward::pipeline {
namespace {

using auth::initiator;
using runtime::route_target;

// A list of roles joined by ',' holds one of the wanted ones.
bool has_role(std::string_view roles, std::vector<std::string> const& wanted) {
  bool found = false;
  http::for_each_token(
      roles, [&](std::string_view role) { found = found || std::ranges::find(wanted, role) != wanted.end(); });
  return found;
}

bool has_value(session::record const& who, runtime::compiled_route::field_rule const& rule) {
  return who.has(rule.slot) && std::ranges::find(rule.values, who.get(rule.slot)) != rule.values.end();
}

// A WebSocket handshake is a GET, but what it opens is not safe, and browsers let every page try (RFC 6455
// section 10.2).
bool asks_for_change(exchange const& x) noexcept {
  if (!http::is_safe(x.head.verb) || x.head.wants_upgrade()) return true;
  // A proxy that asks has kept Connection and Upgrade to itself. This one is end to end, and in HTTP/2 too (RFC 8441).
  return x.proxy.asked && x.head.find("Sec-WebSocket-Version") != nullptr;
}

result<void> guard_cross_site(exchange const& x) {
  auto const& origin = x.view().config.server.public_origin;
  if (x.route->to == route_target::logout && x.head.verb == http::method::get) {
    // Logging out changes something, so a GET has to show that a person asked for it here.
    auto const by_person = x.navigation && auth::initiator_of_navigation(x.head, origin) == initiator::same_origin;
    return by_person ? result<void>{} : errc::csrf;
  }
  // The form itself is guarded without a session too: somebody else's page must not log a visitor in. What lies below
  // it (call-backs of other identity providers) may well be posted from other sites.
  auto const is_login_form = x.route->to == route_target::login && names_login_form(x);
  auto const guarded = is_login_form || x.cookies.present;
  if (!x.route->config.csrf || !guarded || !asks_for_change(x)) return {};
  return auth::initiator_of(x.head, origin) == initiator::cross_site ? errc::csrf : result<void>{};
}

// After `allow`: whom a better login does not help is not asked for one.
result<void> require_login(exchange const& x) {
  if (!x.authenticated()) return errc::no_session;
  if (auto const missing = shortfall(x.route->config.require, login_facts_of(x.session), wall_now()); missing != errc{})
    return missing;
  return {};
}

}  // namespace

bool names_login_form(exchange const& x) {
  auto const& login = x.view().config.identity.login;
  auto const is_form = [&](std::string_view path) { return path == login || path == login + '/'; };
  return is_form(x.path.text()) || std::ranges::any_of(x.path.readings(), is_form);
}

bool has_allowed_role(exchange const& x) {
  return has_role(x.session.roles(), x.route->config.allow.roles);
}

bool has_allowed_value(exchange const& x, runtime::compiled_route::field_rule const& rule) {
  return has_value(x.session, rule);
}

bool is_allowed(session::record const& who, runtime::compiled_route const& route) {
  auto const& roles = route.config.allow.roles;
  if (!roles.empty() && !has_role(who.roles(), roles)) return false;
  return std::ranges::all_of(route.fields, [&](auto const& f) { return has_value(who, f); });
}

result<void> authorize(exchange& x) {
  if (auto r = guard_cross_site(x); !r) return r;
  if (!x.route->config.allow.empty() && !is_allowed(x.session, *x.route)) return errc::forbidden;
  if (!x.route->config.require.empty()) return require_login(x);
  return {};
}

}  // namespace doorward::pipeline
