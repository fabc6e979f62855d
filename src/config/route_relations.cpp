#include "config/route_relations.hpp"

#include <algorithm>

#include "doorward/http/host.hpp"

namespace doorward::config {
namespace {

// What is asked of whoever comes: nothing, whatever is known of him, a session.
int strictness(auth_mode mode) noexcept {
  switch (mode) {
    case auth_mode::none: return 0;
    case auth_mode::optional: return 1;
    case auth_mode::passive:
    case auth_mode::required: break;
  }
  return 2;
}

// Every value that `a` lets through is one that `b` lets through. Nothing listed lets everything through.
bool values_within(std::vector<std::string> const& a, std::vector<std::string> const& b) {
  if (b.empty()) return true;
  return !a.empty() && std::all_of(a.begin(), a.end(), [&](std::string const& value) {
    return std::find(b.begin(), b.end(), value) != b.end();
  });
}

bool has_method(std::vector<std::string> const& methods, std::string const& wanted) {
  auto const listed = [&](char const* name) {
    return std::find(methods.begin(), methods.end(), name) != methods.end();
  };
  return listed(wanted.c_str()) || (wanted == "HEAD" && listed("GET"));
}

bool asks_for_less(step_up_rule const& a, step_up_rule const& b) {
  if (a.acr < b.acr) return true;
  return b.max_age.count() > 0 && (a.max_age.count() == 0 || a.max_age > b.max_age);
}

}  // namespace

bool guards(route_config const& r) {
  return r.auth != auth_mode::none || !r.allow.empty() || !r.require.empty();
}

bool is_weaker(route_config const& weak, route_config const& strong) {
  if (strictness(weak.auth) < strictness(strong.auth)) return true;
  if (asks_for_less(weak.require, strong.require)) return true;
  if (!values_within(weak.allow.roles, strong.allow.roles)) return true;
  auto const& fields = weak.allow.fields;
  return !std::all_of(strong.allow.fields.begin(), strong.allow.fields.end(), [&](auto const& wanted) {
    auto const same =
        std::find_if(fields.begin(), fields.end(), [&](auto const& f) { return f.first == wanted.first; });
    return same != fields.end() && values_within(same->second, wanted.second);
  });
}

bool methods_meet(std::vector<std::string> const& a, std::vector<std::string> const& b) {
  if (a.empty() || b.empty()) return true;
  return std::any_of(a.begin(), a.end(), [&](std::string const& m) { return has_method(b, m); }) ||
         std::any_of(b.begin(), b.end(), [&](std::string const& m) { return has_method(a, m); });
}

bool methods_cover(std::vector<std::string> const& wide, std::vector<std::string> const& narrow) {
  return wide.empty() || (!narrow.empty() && std::all_of(narrow.begin(), narrow.end(),
                                                         [&](std::string const& m) { return has_method(wide, m); }));
}

bool hosts_meet(std::string const& a, std::string const& b) {
  // Patterns nest, they do not cross.
  return http::host_covers(a, b) || http::host_covers(b, a);
}

}  // namespace doorward::config
