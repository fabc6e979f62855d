#include "pipeline/step_up.hpp"

#include "doorward/auth/grant.hpp"
#include "doorward/base/encoding.hpp"
#include "doorward/session/record.hpp"
#include "pipeline/stages.hpp"

namespace doorward::pipeline {

bool is_step_up(errc why) noexcept {
  return why == errc::session_too_weak || why == errc::session_too_old;
}

login_facts login_facts_of(session::record const& r) noexcept {
  using session::field;
  auto const* const layout = r.layout();
  bool const says_when = layout != nullptr && r.has(layout->at(field::auth_time));
  return {auth::parse_level(r.get(field::acr)).value_or(0),
          session::parse_time(r.get(says_when ? field::auth_time : field::created))};
}

errc shortfall(config::step_up_rule const& rule, login_facts const& login, epoch_ms now) noexcept {
  if (login.acr < rule.acr) return errc::session_too_weak;
  if (rule.max_age.count() == 0) return {};
  if (!login.at || *login.at - now > auth::most_clock_skew.count()) return errc::session_too_old;
  return now - *login.at > milliseconds{rule.max_age}.count() ? errc::session_too_old : errc{};
}

std::string destination_after_login(exchange const& x) {
  std::string to;
  if (auto const* location = x.response.find(http::field_id::location); location != nullptr) {
    if (x.response.status < 300) return {};  // nobody follows it
    auto path = location->value;
    auto const& origin = x.view().config.server.public_origin;
    if (!origin.empty() && path.starts_with(origin)) path.remove_prefix(origin.size());
    to = path;
  } else if (!http::query_parameter(x.query, x.view().config.identity.return_to, to)) {
    return {};
  }
  return http::is_local_return_path(to) ? to : std::string{};
}

config::step_up_rule wanted_at(exchange const& x, std::string_view destination) {
  if (destination.empty()) return {};
  std::string storage;
  auto const path = http::canonicalise(destination.substr(0, destination.find_first_of("?#")), storage);
  if (!path) return {};
  auto const found = x.view().table.find({"GET", x.host, *path});
  if (found.result != doorward::route::match::outcome::found) return {};
  return x.view().routes[found.index].config.require;
}

config::step_up_rule wanted_of_login(exchange const& x, errc why) {
  if (x.route == nullptr) return {};
  if (x.route->to != runtime::route_target::login) return x.route->config.require;
  return is_step_up(why) ? wanted_at(x, destination_after_login(x)) : config::step_up_rule{};
}

std::string step_up_challenge(config::step_up_rule const& rule, errc why) {
  if (!is_step_up(why)) return {};
  auto const& a = about(why);
  std::string out;
  out.append("error=\"").append(a.code).append("\", error_description=\"").append(a.text).append("\"");
  if (rule.acr > 0) out.append(", acr_values=\"").append(std::to_string(rule.acr)).append("\"");
  if (rule.max_age.count() > 0) out.append(", max_age=").append(std::to_string(rule.max_age.count()));
  return out;
}

void append_step_up(std::string& link, config::step_up_rule const& rule) {
  if (rule.acr > 0) append_parameter(link, "acr", std::to_string(rule.acr));
  if (rule.max_age.count() > 0) append_parameter(link, "max_age", std::to_string(rule.max_age.count()));
}

void append_parameter(std::string& link, std::string_view name, std::string_view value) {
  link += link.find('?') == std::string::npos ? '?' : '&';
  link.append(name).append("=").append(value);
}

}  // namespace doorward::pipeline
