#include <fmt/format.h>

#include <algorithm>

#include "config/sections.hpp"
#include "doorward/http/host.hpp"
#include "doorward/http/path_pattern.hpp"

// "/admin" and "/admin/" are two paths here and one page to many applications. A route that guards the first leaves the
// second to whatever comes after it.
namespace doorward::config {
namespace {

using http::path_pattern;

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

// Somebody may pass `weak` who may not pass `strong`.
bool is_weaker(route_config const& weak, route_config const& strong) {
  if (strictness(weak.auth) < strictness(strong.auth)) return true;
  if (!values_within(weak.allow.roles, strong.allow.roles)) return true;
  auto const& fields = weak.allow.fields;
  return !std::all_of(strong.allow.fields.begin(), strong.allow.fields.end(), [&](auto const& wanted) {
    auto const same =
        std::find_if(fields.begin(), fields.end(), [&](auto const& f) { return f.first == wanted.first; });
    return same != fields.end() && values_within(same->second, wanted.second);
  });
}

bool has_method(std::vector<std::string> const& methods, std::string const& wanted) {
  auto const listed = [&](char const* name) {
    return std::find(methods.begin(), methods.end(), name) != methods.end();
  };
  return listed(wanted.c_str()) || (wanted == "HEAD" && listed("GET"));
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

// There is a host that both match: patterns nest, they do not cross.
bool hosts_meet(std::string const& a, std::string const& b) {
  return http::host_covers(a, b) || http::host_covers(b, a);
}

// There is a path that both match; `b` does not end in `**`.
bool paths_meet(path_pattern const& a, path_pattern const& b) {
  auto const& left = a.segments();
  auto const& right = b.segments();
  if (left.size() > right.size() || (left.size() < right.size() && !a.rest())) return false;
  return std::equal(left.begin(), left.end(), right.begin(), [](auto const& x, auto const& y) {
    if (x.any) return y.any || !y.text.empty();
    if (y.any) return !x.text.empty();
    return x.text == y.text;
  });
}

bool guards(route_config const& r) {
  return r.auth != auth_mode::none || !r.allow.empty();
}

}  // namespace

void checker::check_final_slash() {
  auto const& routes = doc_.routes;
  std::vector<std::optional<path_pattern>> patterns(routes.size());
  for (std::size_t i = 0; i < routes.size(); ++i)
    if (!routes[i].path.empty() && seen_.sound(join("routes", i))) patterns[i].emplace(routes[i].path);

  for (std::size_t i = 0; i < routes.size(); ++i) {
    auto const& r = routes[i];
    if (!patterns[i] || patterns[i]->rest() || r.path.ends_with('/') || !guards(r)) continue;
    path_pattern const with_slash(r.path + '/');
    for (std::size_t k = 0; k < routes.size(); ++k) {
      auto const& other = routes[k];
      if (k == i || !patterns[k]) continue;
      bool const takes_all = http::host_covers(other.host, r.host) && methods_cover(other.methods, r.methods);
      // An earlier route that leaves this one nothing is warned about elsewhere.
      if (k < i && takes_all && patterns[k]->covers(*patterns[i])) break;
      // A fixed answer shows nobody anything.
      bool const leads_past = k > i && !other.respond && hosts_meet(other.host, r.host) &&
                              methods_meet(other.methods, r.methods) && paths_meet(*patterns[k], with_slash) &&
                              is_weaker(other, r);
      if (leads_past) {
        warning(
            join("routes", i) + ".path",
            fmt::format("`{0}/` goes past this route (line {1}) to `{2}` (line {3}), which lets more people in; many "
                        "applications take `{0}/` for `{0}`",
                        r.path, r.where.line, other.path, other.where.line),
            fmt::format("write `{}/**`, or add a route of that path that asks for the same", r.path));
        break;
      }
      if (takes_all && patterns[k]->covers(with_slash)) break;
    }
  }
}

}  // namespace doorward::config
