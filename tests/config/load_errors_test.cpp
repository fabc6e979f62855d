#include "loading.hpp"

using namespace doorward::config;

TEST_CASE("keys nobody knows, with a guess at what was meant") {
  check_each({
      {"@@sever: {}", "sever", "unknown key", "did you mean `server`?"},
      {"server: { @@wat: x }", "server.wat", "unknown key",
       "known here: `listen`, `workers`, `public_origin`, `trusted_proxies`, `tls`, `client_certificates`, `hsts`, "
       "`http2`, `timeouts` and `limits`"},
      {"server:\n  timeouts:\n    @@hedaer: 5s", "server.timeouts.hedaer", "unknown key", "did you mean `header`?"},
      {"server: { timeouts: { @@Idle: 5s } }", "server.timeouts.Idle", "unknown key", "did you mean `idle`?"},
      {"routes: [{ path: /**, upstream: app, @@auht: none }]", "routes[0].auht", "unknown key", "did you mean `auth`?"},
      {"upstreams: { id: http://x, app: { endpoints: [http://x], @@timeout: {} } }", "upstreams.app.timeout",
       "unknown key", "did you mean `timeouts`?"},
  });
}

TEST_CASE("a value of the wrong kind") {
  check_each({
      {"server: @@[]", "server", "a mapping is expected here, not a list"},
      {"server: @@8080", "server", "a mapping is expected here, not a single value"},
      {"server: { workers: @@{} }", "server.workers", "a whole number from 1 to 1024 is expected here, not a mapping"},
      {"server: { timeouts: { header: @@[5s] } }", "server.timeouts.header", "a duration is expected here, not a list"},
      {"server: { timeouts: { @@header: } }", "server.timeouts.header", "a duration is missing here",
       "give one, or leave the key out"},
      {"server:\n  limits:\n    @@header_bytes:\n    headers: 5", "server.limits.header_bytes",
       "a size is missing here", "give one, or leave the key out"},
      {"server: { trusted_proxies: @@10.0.0.0/8 }", "server.trusted_proxies",
       "a list is expected here, not a single value", "put it in `[ ]`"},
      {"server: { listen: @@{} }", "server.listen", "a list is expected here, not a mapping"},
      {"server: { listen: @@[] }", "server.listen", "this list must not be empty"},
      {"server: { listen: [@@[a]] }", "server.listen[0]", "a listen address is expected here, not a list"},
      {"headers: @@[]", "headers", "a mapping is expected here, not a list"},
      {"upstreams: { id: http://x, app: @@[] }", "upstreams.app", "an upstream URL is expected here, not a list"},
      {"upstreams: { id: http://x, @@app: }", "upstreams.app", "an upstream URL is missing here",
       "give one, or leave the key out"},
      {"routes: @@{}", "routes", "a list is expected here, not a mapping"},
      {"routes: [@@/a]", "routes[0]", "a mapping is expected here, not a single value"},
      {"routes: [{ path: /a, upstream: app, methods: @@GET }]", "routes[0].methods",
       "a list is expected here, not a single value", "put it in `[ ]`"},
  });
}

TEST_CASE("what must be there") {
  CHECK(described(load("server: {}\n", "f", test_environment).problems) ==
        "1:1 error identity: this key is required []\n"
        "1:1 error upstreams: this key is required []\n"
        "1:1 error routes: this key is required []\n");
  check_each({
      {"@@identity: {}", "identity.upstream", "this key is required"},
      {"@@identity:\n", "identity.upstream", "this key is required"},
      {"upstreams: { id: http://x, @@app: { retries: 1 } }", "upstreams.app.endpoints", "this key is required"},
      {"upstreams: { id: http://x, app: { endpoints: @@[] } }", "upstreams.app.endpoints",
       "this list must not be empty"},
      {"routes: @@[]", "routes", "this list must not be empty"},
      {"routes: [@@{ upstream: app }]", "routes[0].path", "this key is required"},
      {"routes:\n  - @@path: /a", "routes[0]", "exactly one of `upstream` and `respond` is required"},
      {"routes: [@@{ path: /a, upstream: app, respond: 404 }]", "routes[0]",
       "exactly one of `upstream` and `respond` is required"},
  });
}

TEST_CASE("sections that must not be empty") {
  auto const got = load("identity: { upstream: a }\nupstreams:\nroutes:\n", "f", test_environment);
  CHECK(described(got.problems) ==
        "1:23 error identity.upstream: there is no upstream of this name []\n"
        "2:1 error upstreams: at least one upstream is required []\n"
        "3:1 error routes: at least one route is required []\n");
}

TEST_CASE("a file that is not a mapping, or not YAML at all") {
  auto const only = [](std::string const& text) {
    auto const got = load(text, "f", test_environment);
    CHECK_FALSE(got.value.has_value());
    return described(got.problems);
  };
  CHECK(only("") == "1:1 error : the file is empty [docs/configuration.md begins with the smallest one]\n");
  CHECK(only("- a\n") == "1:1 error : the file is a mapping of keys to values, not a list []\n");
  CHECK(only("hello\n") == "1:1 error : the file is a mapping of keys to values, not a single value []\n");
  CHECK(only("~\n") == "1:1 error : the file is a mapping of keys to values, not nothing []\n");
  CHECK(only("server: [\n") == "2:1 error : a `[` before this is not closed []\n");
}

TEST_CASE("YAML that is allowed elsewhere") {
  check_each({
      {"server: { workers: 1 }\n@@server: { workers: 2 }", "server", "this key is given twice; first on line 1"},
      {"server: { @@<<: { workers: 1 } }", "server.<<", "merge keys (`<<`) are not used here", "write the keys out"},
      {"server: { workers: @@!!int 1 }", "server.workers", "YAML tags are not used here", "leave the `!...` out"},
  });
}

TEST_CASE("interpolation that cannot be done") {
  check_each({
      {"redis: { password: \"a@@${MISSING}\" }", "redis.password", "the environment variable MISSING is not set",
       "set it, or give a default: `${MISSING:-...}`"},
      {"redis:\n  password: p4@@$x", "redis.password", "a `$` alone means nothing",
       "write `${NAME}`, or `$$` for a dollar"},
      {"redis: { password: @@\"${file:nowhere}\" }", "redis.password",
       "the file `nowhere` cannot be read: No such file or directory"},
      {"server: { http2: @@\"${MISSING}\" }", "server.http2", "the environment variable MISSING is not set",
       "set it, or give a default: `${MISSING:-...}`"},
  });
}

TEST_CASE("what came from outside is never shown") {
  check_each({
      {"server: { workers: @@\"${SECRET}\" }", "server.workers",
       "a whole number from 1 to 1024 is expected here (as interpolated)"},
      {"server: { timeouts: { header: @@\"${PORT}\" } }", "server.timeouts.header",
       "a duration needs a unit (as interpolated)"},
      {"server: { listen: @@\"${BAD}\" }", "server.listen",
       "not an address to listen on: `host:port`, `[v6]:port` or `unix:/path` (as interpolated)"},
      {"server: { public_origin: @@\"https://${SECRET}/x\" }", "server.public_origin",
       "an origin is scheme, host and port, and nothing else (as interpolated)"},
      {"log: { level: @@\"${SECRET}\" }", "log.level",
       "one of `trace`, `debug`, `info`, `warn`, `error` or `off` is expected here (as interpolated)"},
      {"routes: [{ path: @@\"/${BAD}\", upstream: app }]", "routes[0].path",
       "no request can have this path: a blank, a control character, a backslash, a byte outside ASCII, a bad `%`, or "
       "a `..` that leaves the root (as interpolated)"},
      {"routes: [{ path: /**, upstream: @@\"${SECRET}\" }]", "routes[0].upstream", "there is no upstream of this name",
       "known here: `app` and `id`"},
      {"headers: { X-A: @@\"{${BAD}}\" }", "headers.X-A",
       "between `{` and `}` stands a session field's name (as interpolated)"},
  });
}

TEST_CASE("everything wrong is told at once, in file order") {
  auto const got = load(R"(routes:
  - { path: admin, upstream: ap }
  - { path: /x, upstream: app, auth: maybe }
server:
  workers: 0
  limits: { header_bytes: 1 }
upstreams: { app: http://x, id: http://x/ }
identity: { upstream: id, login: /login/ }
bogus: 1
)",
                        "f", test_environment);
  CHECK_FALSE(got.value.has_value());
  CHECK(described(got.problems) ==
        "2:13 error routes[0].path: a path begins with `/` [write `/admin`]\n"
        "2:30 error routes[0].upstream: there is no upstream of this name [did you mean `app`?]\n"
        "3:38 error routes[1].auth: one of `required`, `optional`, `passive` or `none` is expected here []\n"
        "5:12 error server.workers: a whole number from 1 to 1024 is expected here []\n"
        "6:27 error server.limits.header_bytes: a size needs a unit [write `1B`]\n"
        "7:33 error upstreams.id: an upstream's URL ends after the port [write `http://x:80`; paths are changed by a "
        "route's `rewrite` or `strip_prefix`]\n"
        "8:34 error identity.login: this path has no slash at its end [write `/login`]\n"
        "9:1 error bogus: unknown key [known here: `version`, `server`, `admin`, `redis`, `session`, `identity`, "
        "`assertion`, "
        "`upstreams`, `headers`, `defaults`, `routes`, `log` and `tracing`]\n");
}

TEST_CASE("a flood of problems is cut") {
  std::string text;
  for (int i = 0; i < 5'000; ++i)
    text += "bogus" + std::to_string(i) + ": 1\n";
  auto const got = load(completed(text), "f", test_environment);
  REQUIRE(got.problems.size() == 101);
  CHECK(got.problems[99].path == "bogus99");
  CHECK(got.problems[100].text == "and 4900 more problems after this one");
  CHECK_FALSE(got.value.has_value());
}

TEST_CASE("an alias is judged in each place it stands in") {
  auto const got = load_completed(R"(server: { timeouts: { header: &x 5 } }
session: { lifetime: { idle: *x } }
)");
  CHECK(described(got.problems) ==
        "1:34 error server.timeouts.header: a duration needs a unit [write `5s`]\n"
        "1:34 error session.lifetime.idle: a duration needs a unit [write `5s`]\n");
}
