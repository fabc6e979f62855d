#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/path_rules.hpp"
#include "config/route_relations.hpp"
#include "config/sections.hpp"
#include "doorward/http/host.hpp"
#include "doorward/http/path_pattern.hpp"

namespace doorward::config {
namespace {

bool path_covers(std::string_view wide, std::string_view narrow) {
  return http::path_pattern{wide}.covers(http::path_pattern{narrow});
}

// What tells a route from others of its path.
std::string suffix_of(route_config const& r) {
  std::string out;
  if (!r.host.empty()) out += "@" + r.host;
  for (std::size_t i = 0; i < r.methods.size(); ++i)
    out += (i == 0 ? ":" : ",") + r.methods[i];
  return out;
}

}  // namespace

void checker::resolve_routes() {
  std::set<std::string> taken;
  for (std::size_t i = 0; i < doc_.routes.size(); ++i) {
    auto& r = doc_.routes[i];
    auto const path = join("routes", i);
    if (!seen_.given(path + ".auth")) r.auth = doc_.defaults.auth;
    if (seen_.given(path + ".id")) taken.insert(r.id);
  }
  for (std::size_t i = 0; i < doc_.routes.size(); ++i) {
    auto& r = doc_.routes[i];
    if (seen_.given(join("routes", i) + ".id")) continue;
    r.id = r.path;
    if (taken.contains(r.id)) r.id += suffix_of(r);
    auto const base = r.id;
    for (unsigned n = 2; taken.contains(r.id); ++n)
      r.id = fmt::format("{}#{}", base, n);
    taken.insert(r.id);
  }
}

void checker::check_ids() {
  if (seen_.given("routes") && doc_.routes.empty() && seen_.sound("routes"))
    error("routes", "at least one route is required");
  std::vector<std::pair<std::string, std::string>> known;  // id, path
  for (std::size_t i = 0; i < doc_.routes.size(); ++i) {
    auto const path = join("routes", i) + ".id";
    if (!seen_.given(path) || !seen_.sound(path)) continue;
    auto const& id = doc_.routes[i].id;
    auto const found = std::find_if(known.begin(), known.end(), [&](auto const& k) { return k.first == id; });
    if (found == known.end()) {
      known.emplace_back(id, path);
    } else {
      error(path, fmt::format("the same id as the route on line {}", seen_.of(found->second).line));
    }
  }
}

void checker::check_route(route_config const& r, std::string const& path) {
  auto const given = [&](char const* key) { return seen_.given(path + key); };
  auto const fine = [&](char const* key) { return seen_.sound(path + key); };

  if (given(".upstream") && fine(".upstream")) check_upstream_name(path + ".upstream", r.upstream);
  if (given(".upstream") && given(".respond")) return;  // the description has said so; which of them counts is open

  bool const strips = !r.strip_prefix.empty();
  bool const rewrites = !r.rewrite.empty();
  if (given(".respond")) {
    for (auto const* key : {".strip_prefix", ".rewrite", ".timeouts"}) {
      if (given(key)) error(path + key, "this needs an upstream; the route answers by itself");
    }
  } else if (strips && rewrites) {
    error(path + ".rewrite", "a route has strip_prefix or rewrite, not both");
  }
  if (strips && fine(".strip_prefix") && fine(".path")) {
    if (r.strip_prefix.ends_with('/')) {
      error(path + ".strip_prefix", "no slash at the end, and more than `/`");
    } else if (!http::starts_with_segments(http::literal_prefix(r.path), r.strip_prefix)) {
      error(path + ".strip_prefix", "not every path of this route begins with it",
            "it is one or more whole segments from the front of `path`, before any `*`");
    }
  }

  if (fine(".auth") && !r.allow.empty()) {
    if (r.auth == auth_mode::none) {
      error(path + ".allow", "`allow` needs a session, and with `auth: none` nobody looks for one",
            "use `auth: required`");
    } else if (r.auth == auth_mode::optional) {
      warning(path + ".allow", "a request without a session never meets `allow`", "`auth: required` says so plainly");
    }
  }

  for (std::size_t i = 0; i < r.methods.size(); ++i) {
    auto const item = join(path + ".methods", i);
    if (seen_.sound(item) &&
        std::count(r.methods.begin(), r.methods.begin() + static_cast<std::ptrdiff_t>(i), r.methods[i]) > 0) {
      error(item, "this method is listed twice");
    }
  }
}

void checker::check_reachable() {
  auto const& routes = doc_.routes;
  auto const sound_match = [&](std::string const& path) {
    return seen_.sound(path + ".path") && seen_.sound(path + ".host") && seen_.sound(path + ".methods");
  };
  bool const identity_sound = seen_.given("identity") && sound("identity.login", "identity.logout");
  for (std::size_t i = 0; i < routes.size(); ++i) {
    auto const path = join("routes", i);
    auto const& r = routes[i];
    if (r.path.empty() || !sound_match(path)) continue;
    if (identity_sound && (path_covers(doc_.identity.login + "/**", r.path) || r.path == doc_.identity.logout)) {
      bool const login = r.path != doc_.identity.logout;
      warning(path + ".path",
              fmt::format("no request gets here: identity.{} has this path", login ? "login" : "logout"));
      continue;
    }
    for (std::size_t k = 0; k < i; ++k) {
      auto const& earlier = routes[k];
      auto const earlier_path = join("routes", k);
      bool const covered = !earlier.path.empty() && sound_match(earlier_path) &&
                           http::host_covers(earlier.host, r.host) && methods_cover(earlier.methods, r.methods) &&
                           path_covers(earlier.path, r.path);
      if (!covered) continue;
      warning(path + ".path",
              fmt::format("no request gets here: the route on line {} takes all of them", earlier.where.line),
              "the first route that matches decides; put the narrower one in front");
      break;
    }
  }
}

}  // namespace doorward::config
