#include <fmt/format.h>

#include "config/route_relations.hpp"
#include "config/sections.hpp"
#include "doorward/config/rewrite.hpp"
#include "doorward/http/host.hpp"
#include "doorward/http/path_pattern.hpp"

// The application knows its pages by the path after a rewrite. One that a route guards may be within another's reach
// under another name.
namespace doorward::config {
namespace {

using http::path_pattern;

// What an upstream sees of a route's requests.
struct upstream_side {
  route_config const* route = nullptr;  // null where nothing can be said
  std::string path;                     // pattern
};

bool changes_paths(route_config const& r) {
  return !r.strip_prefix.empty() || !r.rewrite.empty();
}

}  // namespace

void checker::check_rewrites() {
  auto const& routes = doc_.routes;
  std::vector<upstream_side> sides(routes.size());
  for (std::size_t i = 0; i < routes.size(); ++i) {
    auto const& r = routes[i];
    if (r.path.empty() || r.upstream.empty() || !seen_.sound(join("routes", i))) continue;
    if (auto path = rewrite(r, r.path)) sides[i] = {&r, std::move(*path)};
  }

  // What a client asks for to get `path` of the upstream through routes[through] meets a route before it that asks for
  // as much as `guarded`.
  auto const stopped_before = [&](std::size_t through, std::string const& path, route_config const& guarded) {
    path_pattern const asked(before_rewrite(routes[through], path));
    for (std::size_t k = 0; k < through; ++k) {
      auto const& earlier = routes[k];
      if (!earlier.path.empty() && http::host_covers(earlier.host, routes[through].host) &&
          (methods_cover(earlier.methods, routes[through].methods) ||
           methods_cover(earlier.methods, guarded.methods)) &&
          path_pattern(earlier.path).covers(asked) && (earlier.respond || !is_weaker(earlier, guarded)))
        return true;
    }
    return false;
  };

  for (std::size_t i = 0; i < routes.size(); ++i) {
    if (sides[i].route == nullptr) continue;
    auto const& open = routes[i];
    for (std::size_t k = 0; k < routes.size(); ++k) {
      if (k == i || sides[k].route == nullptr) continue;
      auto const& guarded = routes[k];
      bool const within_reach =
          open.upstream == guarded.upstream && guards(guarded) && is_weaker(open, guarded) &&
          (changes_paths(open) || changes_paths(guarded)) && methods_meet(open.methods, guarded.methods) &&
          path_pattern(sides[i].path).covers(path_pattern(sides[k].path)) && !stopped_before(i, sides[k].path, guarded);
      if (!within_reach) continue;
      warning(join("routes", i) + ".path",
              fmt::format("this route reaches `{}` of upstream `{}`, which the route on line {} guards, and lets more "
                          "people in",
                          sides[k].path, open.upstream, guarded.where.line),
              fmt::format("put a route for `{}` in front of it that asks for the same",
                          before_rewrite(open, sides[k].path)));
      break;
    }
  }
}

}  // namespace doorward::config
