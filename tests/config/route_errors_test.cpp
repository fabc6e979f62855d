#include "loading.hpp"

using namespace doorward::config;

namespace {

// One route, which has to go on as `rest` says.
std::string route(std::string const& rest) {
  return "routes: [{ " + rest + " }]";
}

}  // namespace

TEST_CASE("upstreams: values that cannot be") {
  auto const app = [](std::string const& rest) { return "upstreams: { id: http://x, app: { " + rest + " } }"; };
  constexpr char name[] = "an upstream's name: up to 64 letters, digits, `-`, `_` and `.`";
  check_each({
      {"upstreams: { id: http://x, app: http://x, @@\"a b\": http://x }", "upstreams.a b", name},
      {"upstreams: { id: http://x, app: @@x:80 }", "upstreams.app",
       "not an upstream's URL: `http://host:port`, `https://host:port` or `unix:/path`", "write `http://x:80`"},
      {app("endpoints: [http://x, @@ftp://x]"), "upstreams.app.endpoints[1]",
       "not an upstream's URL: `http://host:port`, `https://host:port` or `unix:/path`",
       "for example `http://127.0.0.1:3000`"},
      {app("endpoints: @@http://x"), "upstreams.app.endpoints", "a list is expected here, not a single value",
       "put it in `[ ]`"},
      {app("endpoints: [http://x, @@http://X:80]"), "upstreams.app.endpoints[1]", "the same endpoint twice"},
      {app("endpoints: [http://x], retries: @@4"), "upstreams.app.retries",
       "a whole number from 0 to 3 is expected here"},
      {app("endpoints: [http://x], connections: @@0"), "upstreams.app.connections",
       "a whole number from 1 to 65535 is expected here"},
      {app("endpoints: [http://x], timeouts: { idle: @@0s }"), "upstreams.app.timeouts.idle", "must be from 1ms to 1d"},
      {app("endpoints: [http://x], balance: @@random"), "upstreams.app.balance", "`round_robin` is expected here"},
      {app("endpoints: [http://x], protocol: @@http2"), "upstreams.app.protocol", "`http1` is expected here",
       "did you mean `http1`?"},
  });
}

TEST_CASE("routes: values that cannot be") {
  constexpr char host[] = "not a host: a name, `*.` and a name, or an address";
  constexpr char id[] = "a route's id: up to 128 printable ASCII characters without blanks, quotes and backslashes";
  check_each({
      {route("path: @@a, upstream: app"), "routes[0].path", "a path begins with `/`", "write `/a`"},
      {route("path: /@@**/a, upstream: app"), "routes[0].path", "`**` stands for the rest of a path, so it comes last"},
      {route("path: \"/x/@@a*\", upstream: app"), "routes[0].path",
       "`*` stands for one whole segment, `**` for the rest"},
      {route("path: @@/.doorward/**, upstream: app"), "routes[0].path", "paths under /.doorward are doorward's own"},
      {route("path: /a, upstream: @@apq"), "routes[0].upstream", "there is no upstream of this name",
       "did you mean `app`?"},
      {route("path: /a, respond: @@99"), "routes[0].respond", "a whole number from 200 to 599 is expected here"},
      {route("path: /a, respond: @@600"), "routes[0].respond", "a whole number from 200 to 599 is expected here"},
      {route("id: @@\"a b\", path: /a, upstream: app"), "routes[0].id", id},
      {route("id: @@\"\", path: /a, upstream: app"), "routes[0].id", id},
      {route("host: @@example.com:80, path: /a, upstream: app"), "routes[0].host",
       "hosts are matched without their port", "write `example.com`"},
      {route("host: @@\"[::1]:80\", path: /a, upstream: app"), "routes[0].host", "hosts are matched without their port",
       "write `[::1]`"},
      {route("host: @@https://example.com, path: /a, upstream: app"), "routes[0].host",
       "a host is a name alone, without scheme and path"},
      {route("host: a.@@*.com, path: /a, upstream: app"), "routes[0].host", "`*.` stands only in front of a host"},
      {route("host: @@\"*\", path: /a, upstream: app"), "routes[0].host", "`*.` stands only in front of a host"},
      {route("host: @@\"*.\", path: /a, upstream: app"), "routes[0].host", host},
      {route("host: @@\"a b\", path: /a, upstream: app"), "routes[0].host", host},
      {route("host: @@\"\", path: /a, upstream: app"), "routes[0].host", host},
      {route("host: @@\"*.[::1]\", path: /a, upstream: app"), "routes[0].host", host},
      {route("path: /a, methods: [GET, @@post], upstream: app"), "routes[0].methods[1]",
       "methods are written in capital letters", "write `POST`"},
      {route("path: /a, methods: [@@\"GET \"], upstream: app"), "routes[0].methods[0]", "not a method",
       "for example `GET`"},
      {route("path: /a, methods: [GET, PUT, @@GET], upstream: app"), "routes[0].methods[2]",
       "this method is listed twice"},
      {route("path: /a, methods: @@[], upstream: app"), "routes[0].methods", "this list must not be empty"},
      {route("path: /a, auth: @@requierd, upstream: app"), "routes[0].auth",
       "one of `required`, `optional`, `passive` or `none` is expected here", "did you mean `required`?"},
      {route("path: /a, unauthenticated: @@login, upstream: app"), "routes[0].unauthenticated",
       "one of `auto`, `reject` or `redirect` is expected here"},
      {route("path: /a, timeouts: { total: @@0s }, upstream: app"), "routes[0].timeouts.total",
       "must be from 1ms to 1d"},
      {route("path: /a, body_bytes: @@10, upstream: app"), "routes[0].body_bytes", "a size needs a unit",
       "write `10B`"},
      {route("path: /a, csrf: @@off, upstream: app"), "routes[0].csrf", "`true` or `false` is expected here",
       "write `false`"},
      {"defaults: { auth: @@all }", "defaults.auth",
       "one of `required`, `optional`, `passive` or `none` is expected here"},
      {"defaults: { @@csrf: true }", "defaults.csrf", "unknown key", "known here: `auth`"},
  });
}

TEST_CASE("allow: rules that nobody or everybody would meet") {
  constexpr char none[] = "`allow` needs a session, and with `auth: none` nobody looks for one";
  check_each({
      {route("path: /a, upstream: app, allow: { roles: @@[] }"), "routes[0].allow.roles",
       "this list must not be empty"},
      {route("path: /a, upstream: app, allow: { roles: [@@\"\"] }"), "routes[0].allow.roles[0]",
       "this value is empty: nobody has it"},
      {route("path: /a, upstream: app, allow: { roles: [@@\"a,b\"] }"), "routes[0].allow.roles[0]",
       "a role has no comma in it", "make it two items of the list"},
      {route("path: /a, upstream: app, allow: { roles: @@admin }"), "routes[0].allow.roles",
       "a list is expected here, not a single value", "put it in `[ ]`"},
      {route("path: /a, upstream: app, allow: { fields: { plan: @@[] } }"), "routes[0].allow.fields.plan",
       "this list must not be empty"},
      {route("path: /a, upstream: app, allow: { fields: { @@\"a b\": [x] } }"), "routes[0].allow.fields.a b",
       "not a session field's name"},
      {route("path: /a, upstream: app, auth: none, allow: @@{ roles: [x] }"), "routes[0].allow", none,
       "use `auth: required`"},
      {"defaults: { auth: none }\n" + route("path: /a, upstream: app, allow: @@{ roles: [x] }"), "routes[0].allow",
       none, "use `auth: required`"},
  });
  check_each({{route("path: /a, upstream: app, auth: optional, allow: @@{ roles: [x] }"), "routes[0].allow",
               "a request without a session never meets `allow`", "`auth: required` says so plainly"}},
             problem::level::warning);
}

TEST_CASE("require: rules that cannot be met, or mean nothing") {
  constexpr char none[] = "`require` needs a session, and with `auth: none` nobody looks for one";
  check_each({
      {route("path: /a, upstream: app, auth: none, require: @@{ acr: 1 }"), "routes[0].require", none,
       "use `auth: required`"},
      {"defaults: { auth: none }\n" + route("path: /a, upstream: app, require: @@{ max_age: 1s }"), "routes[0].require",
       none, "use `auth: required`"},
      {route("path: /a, upstream: app, require: { acr: @@100 }"), "routes[0].require.acr",
       "a whole number from 0 to 99 is expected here"},
      {route("path: /a, upstream: app, require: { acr: @@-1 }"), "routes[0].require.acr",
       "a whole number from 0 to 99 is expected here"},
      {route("path: /a, upstream: app, require: { max_age: @@500ms }"), "routes[0].require.max_age",
       "this duration is a whole number of seconds"},
      {route("path: /a, upstream: app, require: { max_age: @@366d }"), "routes[0].require.max_age",
       "must be from 0s to 365d"},
      {"identity: { upstream: id, return_to: @@acr }\n" + route("path: /a, upstream: app, require: { acr: 1 }"),
       "identity.return_to", "`acr` tells the login page what `require` asks for", "choose another name"},
      {"identity: { upstream: id, return_to: @@max_age }\n" +
           route("path: /a, upstream: app, require: { max_age: 1s }"),
       "identity.return_to", "`max_age` tells the login page what `require` asks for", "choose another name"},
  });
  check_each({{route("path: /a, upstream: app, auth: optional, require: @@{ acr: 1 }"), "routes[0].require",
               "a request without a session never meets `require`", "`auth: required` says so plainly"},
              {route("path: /a, upstream: app, require: @@{ acr: 0 }"), "routes[0].require", "this asks for nothing",
               "give `acr`, `max_age` or both, or leave it out"}},
             problem::level::warning);
}

TEST_CASE("strip_prefix and rewrite") {
  constexpr char upstream[] = "this needs an upstream; the route answers by itself";
  constexpr char front[] = "it is one or more whole segments from the front of `path`, before any `*`";
  constexpr char not_all[] = "not every path of this route begins with it";
  check_each({
      {route("path: /a/**, upstream: app, strip_prefix: /a, rewrite: @@/b"), "routes[0].rewrite",
       "a route has strip_prefix or rewrite, not both"},
      {route("path: /a/**, upstream: app, strip_prefix: @@/b"), "routes[0].strip_prefix", not_all, front},
      {route("path: /abc/**, upstream: app, strip_prefix: @@/ab"), "routes[0].strip_prefix", not_all, front},
      {route("path: /a/*/c, upstream: app, strip_prefix: @@/a/b"), "routes[0].strip_prefix", not_all, front},
      {route("path: /**, upstream: app, strip_prefix: @@/a"), "routes[0].strip_prefix", not_all, front},
      {route("path: /a/**, upstream: app, strip_prefix: @@/a/"), "routes[0].strip_prefix",
       "no slash at the end, and more than `/`"},
      {route("path: /a/**, upstream: app, strip_prefix: @@/"), "routes[0].strip_prefix",
       "no slash at the end, and more than `/`"},
      {route("path: /a/**, upstream: app, strip_prefix: @@a"), "routes[0].strip_prefix", "a path begins with `/`",
       "write `/a`"},
      {route("path: /a/**, upstream: app, rewrite: /b/@@./c"), "routes[0].rewrite",
       "requests are matched by their canonical path, which this is not", "write `/b/c`"},
      {route("path: /a/**, upstream: app, rewrite: \"/b/@@**\""), "routes[0].rewrite",
       "this is a path, not a pattern: `*` means nothing in it"},
      {route("path: /a, respond: 404, rewrite: @@/b"), "routes[0].rewrite", upstream},
      {route("path: /a, respond: 404, strip_prefix: @@/a"), "routes[0].strip_prefix", upstream},
      {route("path: /a, respond: 404, timeouts: @@{ total: 1s }"), "routes[0].timeouts", upstream},
  });
  for (auto const* rest :
       {"path: /a/**, upstream: app, strip_prefix: /a", "path: /a/b/*, upstream: app, strip_prefix: /a",
        "path: /a/b, upstream: app, strip_prefix: /a/b", "path: /a/**, upstream: app, rewrite: /",
        "path: /a, upstream: app, rewrite: /b/", "path: /a/**, upstream: app, rewrite: /b/",
        "path: /a, upstream: app, rewrite: \"\""}) {
    INFO(rest);
    CHECK(load_completed(route(rest)).problems.empty());
  }
}

TEST_CASE("ids that are not unique") {
  check_each({
      {"routes:\n  - { id: x, path: /a, upstream: app }\n  - { id: @@x, path: /b, upstream: app }", "routes[1].id",
       "the same id as the route on line 2"},
  });
}

TEST_CASE("a route that an earlier one leaves nothing is worth a warning") {
  constexpr char fix[] = "the first route that matches decides; put the narrower one in front";
  auto const two = [](std::string const& first, std::string const& second) {
    return "routes:\n  - { upstream: app, " + first + " }\n  - { upstream: app, " + second + " }";
  };
  std::string const line = "no request gets here: the route on line 2 takes all of them";
  std::vector<wrong> rows;
  struct pair {
    char const *first, *second;
  };
  for (auto const& [first, second] :
       std::vector<pair>{{"path: /**", "path: @@/a"},
                         {"path: /a/**", "path: @@/a"},
                         {"path: /a/**", "path: @@/a/*/b/**"},
                         {"path: /*/b", "path: @@/a/b"},
                         {"path: /a", "path: @@/a, host: a.example"},
                         {"path: /a, host: \"*.example\"", "path: @@/a, host: b.a.example"},
                         {"path: /a, host: \"*.example\"", "path: @@/a, host: \"*.a.example\""},
                         {"path: /a, methods: [GET, PUT]", "path: @@/a, methods: [PUT]"}}) {
    rows.push_back({two(first, second), "routes[1].path", line, fix});
  }
  check_each(rows, problem::level::warning);
  for (auto const& [first, second] :
       std::vector<pair>{{"path: /a", "path: /**"},
                         {"path: /a/**", "path: /ab"},
                         {"path: /a/*", "path: /a/**"},
                         {"path: /a/b", "path: /a/*"},
                         {"path: /a, host: a.example", "path: /a"},
                         {"path: /a, host: \"*.example\"", "path: /a, host: example"},
                         {"path: /a, host: \"*.a.example\"", "path: /a, host: \"*.example\""},
                         {"path: /a, methods: [GET]", "path: /a"},
                         {"path: /a, methods: [GET]", "path: /a, methods: [GET, PUT]"}}) {
    INFO(first << " | " << second);
    CHECK(load_completed(two(first, second)).problems.empty());
  }
}

TEST_CASE("a route that login or logout leave nothing is worth a warning") {
  check_each(
      {{route("path: @@/login, upstream: app"), "routes[0].path", "no request gets here: identity.login has this path"},
       {route("path: @@/login/x/**, upstream: app"), "routes[0].path",
        "no request gets here: identity.login has this path"},
       {route("path: @@/logout, upstream: app"), "routes[0].path",
        "no request gets here: identity.logout has this path"}},
      problem::level::warning);
  for (auto const* path : {"/logout/**", "/logins", "/*"}) {
    CHECK(load_completed(route(std::string{"path: "} + path + ", upstream: app")).problems.empty());
  }
}

TEST_CASE("a guarded path that a slash at its end leads past is worth a warning") {
  struct row {
    char const *guarded, *later;
    char const *path, *later_path;
  };
  constexpr char admins[] = "path: @@/a, allow: { roles: [admin] }";
  std::vector<wrong> rows;
  for (auto const& [guarded, later, path, later_path] : std::vector<row>{
           {"path: @@/a", "path: /**, auth: none", "/a", "/**"},
           {"path: @@/a", "path: /**, auth: optional", "/a", "/**"},
           {"path: @@/a, auth: passive", "path: /**, auth: optional", "/a", "/**"},
           {"path: @@/a, auth: optional", "path: /a/**, auth: none", "/a", "/a/**"},
           {"path: @@/p/*/edit", "path: /p/**, auth: none", "/p/*/edit", "/p/**"},
           {"path: @@/p/*/edit", "path: /p/public/**, auth: none", "/p/*/edit", "/p/public/**"},
           {"path: @@/p/*", "path: /p/*/, auth: none", "/p/*", "/p/*/"},
           {"path: @@/p/*", "path: /*/x/**, auth: none", "/p/*", "/*/x/**"},
           {"path: @@/p/1", "path: /*/*/, auth: none", "/p/1", "/*/*/"},
           {admins, "path: /**", "/a", "/**"},
           {admins, "path: /**, allow: { roles: [admin, staff] }", "/a", "/**"},
           {admins, "path: /**, allow: { fields: { plan: [pro] } }", "/a", "/**"},
           {"path: @@/a, allow: { fields: { plan: [pro] } }", "path: /**, allow: { fields: { plan: [pro, free] } }",
            "/a", "/**"},
           {"path: @@/a, require: { acr: 2 }", "path: /**, require: { acr: 1 }", "/a", "/**"},
           {"path: @@/a, require: { max_age: 1m }", "path: /**, require: { acr: 1 }", "/a", "/**"},
           {"path: @@/a, require: { max_age: 1m }", "path: /**, require: { max_age: 61s }", "/a", "/**"},
           {"path: @@/a, host: x.example", "path: /**, auth: none", "/a", "/**"},
           {"path: @@/a", "path: /**, auth: none, host: \"*.example\"", "/a", "/**"},
           {"path: @@/a, methods: [HEAD]", "path: /**, auth: none, methods: [GET]", "/a", "/**"},
       }) {
    rows.push_back(
        {fmt::format("routes:\n  - {{ upstream: app, {} }}\n  - {{ upstream: app, {} }}", guarded, later),
         "routes[0].path",
         fmt::format("`{0}/` goes past this route (line 2) to `{1}` (line 3), which lets more people in; many "
                     "applications take `{0}/` for `{0}`",
                     path, later_path),
         fmt::format("write `{}/**`, or add a route of that path that asks for the same", path)});
  }
  check_each(rows, problem::level::warning);
}

TEST_CASE("a guarded path whose slash leads nowhere worse is fine") {
  for (auto const* routes : {
           "{ path: /a, upstream: app }, { path: /**, upstream: app }",
           "{ path: /a, upstream: app }, { path: /**, upstream: app, auth: passive }",
           "{ path: /a, upstream: app, auth: none }, { path: /**, upstream: app, auth: none }",
           "{ path: /a/**, upstream: app }, { path: /**, upstream: app, auth: none }",
           "{ path: /a/, upstream: app }, { path: /**, upstream: app, auth: none }",
           "{ path: /, upstream: app }, { path: /**, upstream: app, auth: none }",
           "{ path: /a, upstream: app }, { path: /b/**, upstream: app, auth: none }",
           "{ path: /a, upstream: app }, { path: /*, upstream: app, auth: none }",
           "{ path: /a, upstream: app }, { path: /**, respond: 404, auth: none }",
           "{ path: /a, upstream: app }, { path: /a/, upstream: app }, { path: /**, upstream: app, auth: none }",
           "{ path: /a/, upstream: app }, { path: /a, upstream: app }, { path: /**, upstream: app, auth: none }",
           "{ path: /a, upstream: app }, { path: /a/, respond: 404 }, { path: /**, upstream: app, auth: none }",
           "{ path: /a, upstream: app, host: x.example }, { path: /**, upstream: app, auth: none, host: y.example }",
           "{ path: /a, upstream: app, methods: [GET] }, { path: /**, upstream: app, auth: none, methods: [POST] }",
           "{ path: /a, upstream: app, require: { acr: 1, max_age: 1m } },"
           "{ path: /**, upstream: app, require: { acr: 2, max_age: 30s } }",
           "{ path: /a, upstream: app, allow: { roles: [admin, ops] } },"
           "{ path: /**, upstream: app, allow: { roles: [ops], fields: { plan: [pro] } } }",
       }) {
    auto const got = load_completed(std::string{"routes: ["} + routes + "]");
    INFO(routes << "\n" << described(got.problems));
    CHECK(got.problems.empty());
  }
}

TEST_CASE("an open route that reaches, past a rewrite, what another guards is worth a warning") {
  struct row {
    char const *open, *guarded, *reached, *instead;
  };
  std::vector<wrong> rows;
  for (auto const& [open, guarded, reached, instead] : std::vector<row>{
           {"path: @@/open/**, strip_prefix: /open, auth: none", "path: /admin/**", "/admin/**", "/open/admin/**"},
           {"path: @@/open/**, rewrite: /, auth: none", "path: /admin/**", "/admin/**", "/open/admin/**"},
           {"path: @@/open/**, rewrite: /admin, auth: optional", "path: /admin/**", "/admin/**", "/open/**"},
           {"path: @@/open/*, rewrite: /admin, auth: none", "path: /admin/*", "/admin/*", "/open/*"},
           {"path: @@/open, rewrite: /admin, auth: none", "path: /admin", "/admin", "/open"},
           {"path: @@/open/**, strip_prefix: /open", "path: /admin/**, allow: { roles: [admin] }", "/admin/**",
            "/open/admin/**"},
           {"path: @@/**, auth: none, host: open.example", "path: /secure/**, strip_prefix: /secure", "/**", "/**"},
           {"path: @@/open/**, strip_prefix: /open, auth: none, methods: [GET]", "path: /admin/**, methods: [HEAD]",
            "/admin/**", "/open/admin/**"},
       }) {
    rows.push_back({fmt::format("routes:\n  - {{ upstream: app, {} }}\n  - {{ upstream: app, {} }}", open, guarded),
                    "routes[0].path",
                    fmt::format("this route reaches `{}` of upstream `app`, which the route on line 3 guards, and lets "
                                "more people in",
                                reached),
                    fmt::format("put a route for `{}` in front of it that asks for the same", instead)});
  }
  check_each(rows, problem::level::warning);
}

TEST_CASE("a rewrite that reaches nothing guarded is fine") {
  for (auto const* routes : {
           "{ path: /open/**, upstream: app, strip_prefix: /open }, { path: /admin/**, upstream: app }",
           "{ path: /open/**, upstream: app, auth: none, rewrite: /shown }, { path: /admin/**, upstream: app }",
           "{ path: /open/**, upstream: app, auth: none, strip_prefix: /open }, { path: /admin/**, upstream: other }",
           "{ path: /open/**, upstream: app, auth: none, strip_prefix: /open }, { path: /a/**, upstream: app, auth: "
           "none }",
           "{ path: /open/admin/**, upstream: app, strip_prefix: /open },"
           "{ path: /open/**, upstream: app, auth: none, strip_prefix: /open }, { path: /admin/**, upstream: app }",
           "{ path: /open/admin/**, upstream: app, strip_prefix: /open, methods: [POST] },"
           "{ path: /open/**, upstream: app, auth: none, strip_prefix: /open },"
           "{ path: /admin/**, upstream: app, methods: [POST] }",
           "{ path: /open/admin/**, respond: 404, auth: none },"
           "{ path: /open/**, upstream: app, auth: none, strip_prefix: /open }, { path: /admin/**, upstream: app }",
           "{ path: /open/**, upstream: app, auth: none, strip_prefix: /open, methods: [GET] },"
           "{ path: /admin/**, upstream: app, methods: [POST] }",
       }) {
    auto const got = load_completed(
        std::string{"upstreams: { app: http://a, id: http://i, other: http://o }\nroutes: ["} + routes + "]");
    INFO(routes << "\n" << described(got.problems));
    CHECK(got.problems.empty());
  }
}
