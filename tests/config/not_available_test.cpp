#include "loading.hpp"

using namespace doorward::config;

TEST_CASE("keys whose feature comes later are known, and refused") {
  constexpr char leave[] = "leave the key out for now";
  auto const app = [](std::string const& rest) {
    return "upstreams: { id: http://x, app: { endpoints: [http://x], " + rest + " } }";
  };
  struct row {
    std::string yaml, path, suggestion;
  };
  std::vector<wrong> rows;
  for (auto const& [yaml, path, suggestion] : std::vector<row>{
           {"server: { @@http2: true }", "server.http2", "write `false` for now"},
           {"server: { @@http2: \"${H2:-true}\" }", "server.http2", "write `false` for now"},
           {"redis: { @@sentinel: { master: m, nodes: [a] } }", "redis.sentinel", leave},
           {"redis: { @@cluster: { nodes: [a] } }", "redis.cluster", leave},
           {"redis: { tls: { @@ca: x } }", "redis.tls.ca", "write `\"\"` for now"},
           {"redis: { tls: { cert: \"\", @@server_name: x } }", "redis.tls.server_name", "write `\"\"` for now"},
           {"redis: { url: @@rediss://h }", "redis.url", "use redis:// or a unix socket for now"},
           {app("balance: @@least_requests"), "upstreams.app.balance", "use `round_robin` for now"},
           {app("@@health: { path: /healthz }"), "upstreams.app.health", leave},
           {app("protocol: @@h2c"), "upstreams.app.protocol", "use `http1` for now"},
           {app("protocol: @@h2"), "upstreams.app.protocol", "use `http1` for now"},
           {"routes: [{ path: /a, upstream: app, @@rate_limit: { rate: 50/s } }]", "routes[0].rate_limit", leave},
           {"tracing: { @@otlp: http://x }", "tracing.otlp", "write `\"\"` for now"}}) {
    rows.push_back({yaml, path, "not available yet", suggestion});
  }
  check_each(rows);
}

TEST_CASE("values that say that such a feature is off are fine") {
  auto const got = load_completed(R"(
server: { tls: [], http2: false }
redis: { sentinel: {}, cluster: ~, tls: { ca: "", cert: "", key: "", server_name: "" } }
session:
  cookie: { keys: [] }
  encoding: hash
  cache: { enabled: false, entries: 5, max_age: 1s }
identity: { upstream: id, guard: {} }
upstreams:
  id: http://x
  app: { endpoints: [http://x], balance: round_robin, health: {}, tls: {}, protocol: http1 }
tracing: { otlp: "", sample: 1.0 }
)");
  INFO(described(got.problems));
  CHECK(got.problems.empty());
}
