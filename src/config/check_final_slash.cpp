#include <fmt/format.h>

#include "config/route_relations.hpp"
#include "config/sections.hpp"
#include "doorward/http/host.hpp"
#include "doorward/http/path_pattern.hpp"

// "/admin" and "/admin/" are two paths here and one page to many applications. A route that guards the first leaves the
// second to whatever comes after it.
namespace doorward::config {

using http::path_pattern;

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
                              methods_meet(other.methods, r.methods) && patterns[k]->meets(with_slash) &&
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
