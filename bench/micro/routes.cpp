#include "doorward/route/route_table.hpp"
#include "measure.hpp"

namespace doorward::bench {
namespace {

// Of `state.range(0)` routes the last is wanted.
void match(benchmark::State& state) {
  auto const count = static_cast<std::size_t>(state.range(0));
  std::vector<config::route_config> routes(count);
  for (std::size_t i = 0; i < count; ++i)
    routes[i].path = "/team-" + std::to_string(i % 100) + "/project-" + std::to_string(i) + "/**";
  route::route_table const table(routes);

  auto const last = count - 1;
  auto const path = "/team-" + std::to_string(last % 100) + "/project-" + std::to_string(last) + "/a/page";
  std::string scratch;
  auto const canonical = http::canonicalise(path, scratch);
  if (!canonical || table.find({"GET", "app.example.com", *canonical}).index != last) {
    state.SkipWithError("the route was not found");
    return;
  }
  measure(state, path.size(), [&] {
    auto found = table.find({"GET", "app.example.com", *canonical});
    benchmark::DoNotOptimize(found);
  });
}
BENCHMARK(match)->Name("route match")->Arg(1)->Arg(10)->Arg(100)->Arg(1'000)->Arg(10'000);

}  // namespace
}  // namespace doorward::bench
