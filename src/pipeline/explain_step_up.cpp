#include <fmt/format.h>

#include "pipeline/explain_refusal.hpp"
#include "pipeline/step_up.hpp"

namespace doorward::pipeline {
namespace {

using session::field;

std::string level_found(exchange const& x, unsigned wanted) {
  auto const text = x.session.get(field::acr);
  auto const has = login_facts_of(x.session).acr;
  auto const found = text.empty()                  ? std::string("the session does not say, which counts as 0")
                     : text == std::to_string(has) ? fmt::format("it is {}", has)
                                                   : fmt::format("it is {}, which counts as {}", text, has);
  return fmt::format("{}, {}", found, has >= wanted ? "which holds" : "which does not hold");
}

std::string time_found(exchange const& x, config::step_up_rule const& rule) {
  auto const& fields = x.view().fields;
  auto const stated = x.session.has(fields.at(field::auth_time)) ? field::auth_time : field::created;
  auto const name = fields.name(fields.at(stated));
  auto const at = login_facts_of(x.session).at;
  if (!at) return fmt::format("{} is no time, so nobody can tell, which does not hold", name);
  auto const now = wall_now();
  bool const holds = shortfall({0, rule.max_age}, {0, at}, now) == errc{};
  auto const age = (now - *at) / 1000;
  if (holds) return fmt::format("{} is {} s ago, which holds", name, age);
  if (age < 0) return fmt::format("{} is {} s ahead of this clock, which does not hold", name, -age);
  return fmt::format("{} is {} s ago, which is {} s too long", name, age, age - rule.max_age.count());
}

}  // namespace

void explain_require(exchange const& x, explanation& out) {
  auto const& rule = x.route->config.require;
  auto const say = [&](std::string wanted, std::string const& found) {
    out.say("require", wanted + ": " + (x.authenticated() ? found : "nobody is logged in"));
  };
  if (rule.acr > 0) say(fmt::format("acr must be at least {}", rule.acr), level_found(x, rule.acr));
  if (rule.max_age.count() > 0)
    say(fmt::format("the login must not be older than {} s", rule.max_age.count()), time_found(x, rule));
}

}  // namespace doorward::pipeline
