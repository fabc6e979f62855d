#include "exchange_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

namespace {

std::string const guarded_routes = R"(
routes:
  - { id: open, path: /open/**, upstream: app, auth: none, csrf: false }
  - { id: public, path: /public/**, upstream: app, auth: none }
  - { path: /**, upstream: app }
)";

std::string const cookie = "Cookie: sid=" + std::string(an_id);

// What the guard says of one request.
std::string guarded(std::string const& yaml, std::string const& line, std::vector<std::string> fields) {
  exchange_fixture b(yaml);
  fields.emplace_back("Host: app.example.com");
  REQUIRE(outcome(b.matched(head_of(line + " HTTP/1.1", fields))) == "ok");
  return outcome(authorize(b.x));
}

}  // namespace

TEST_CASE("cross-site guard, by method and who made the request, with a session") {
  struct site {
    char const* what;
    std::vector<std::string> fields;
    bool cross;
  };
  auto const [what, fields, cross] = GENERATE(values<site>({
      {"same origin", {"Sec-Fetch-Site: same-origin"}, false},
      {"typed in", {"Sec-Fetch-Site: none"}, false},
      {"same site", {"Sec-Fetch-Site: same-site"}, true},
      {"cross site", {"Sec-Fetch-Site: cross-site"}, true},
      {"cross site, whatever Origin says", {"Sec-Fetch-Site: cross-site", "Origin: http://app.example.com"}, true},
      {"no browser", {}, false},
      {"old browser, here", {"Origin: http://app.example.com"}, false},
      {"old browser, elsewhere", {"Origin: http://evil.example"}, true},
      {"old browser, nowhere", {"Origin: null"}, true},
  }));
  auto const method =
      GENERATE(as<std::string>{}, "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PROPFIND");
  CAPTURE(what, method);
  auto const safe = method == "GET" || method == "HEAD" || method == "OPTIONS";
  auto with = fields;
  with.push_back(cookie);
  CHECK(guarded(guarded_routes, method + " /a", with) == (cross && !safe ? "csrf" : "ok"));
  // Without a session there is nothing to ride on.
  CHECK(guarded(guarded_routes, method + " /a", fields) == "ok");
}

TEST_CASE("cross-site guard, by route, with a cross-site POST") {
  struct row {
    std::string path;
    bool session;
    std::string outcome;
  };
  auto const [path, session, expected] = GENERATE(values<row>({
      {"/a", true, "csrf"},
      {"/a", false, "ok"},
      {"/public/a", true, "csrf"},  // the application may know the cookie all the same
      {"/public/a", false, "ok"},
      {"/open/a", true, "ok"},  // csrf: false
      {"/login", true, "csrf"},
      {"/login", false, "csrf"},  // nobody may log a visitor in
      {"/login/callback", true, "csrf"},
      {"/login/callback", false, "ok"},  // other identity providers post here
      {"/logout", true, "csrf"},
      {"/logout", false, "ok"},  // and does nothing
      {"/.doorward/whoami", true, "csrf"},
  }));
  CAPTURE(path, session);
  std::vector<std::string> fields{"Sec-Fetch-Site: cross-site"};
  if (session) fields.push_back(cookie);
  CHECK(guarded(guarded_routes, "POST " + path, fields) == expected);
}

TEST_CASE("cross-site guard, the login form under another spelling is the login form") {
  // What stands here are paths that some server takes for /login.
  auto const path = GENERATE(as<std::string>{}, "/login", "/%6cogin", "/./login", "/login/", "/login;x=1", "//login",
                             "/login/.", "/login/;x", "/login%2f", "/login//");
  CAPTURE(path);
  exchange_fixture b(guarded_routes);
  auto const matched = b.matched(head_of("POST " + path + " HTTP/1.1", {"Host: h", "Sec-Fetch-Site: cross-site"}));
  if (outcome(matched) == "ambiguous_path") return;  // nobody gets there
  REQUIRE(outcome(matched) == "ok");
  REQUIRE(b.x.route->config.id == "(login)");
  CHECK(outcome(authorize(b.x)) == "csrf");
}

TEST_CASE("cross-site guard, a session cookie that could not be an id is a session cookie") {
  CHECK(guarded(guarded_routes, "POST /a", {"Sec-Fetch-Site: cross-site", "Cookie: sid=x"}) == "csrf");
}

TEST_CASE("cross-site guard, a WebSocket handshake is no safe request") {
  struct row {
    std::string site;
    bool session;
    std::string outcome;
  };
  auto const [site, session, expected] = GENERATE(values<row>({
      {"cross-site", true, "csrf"},
      {"same-origin", true, "ok"},
      {"cross-site", false, "ok"},
  }));
  CAPTURE(site, session);
  std::vector<std::string> fields{"Connection: Upgrade", "Upgrade: websocket", "Sec-Fetch-Site: " + site};
  if (session) fields.push_back(cookie);
  CHECK(guarded(guarded_routes, "GET /a", fields) == expected);
}

TEST_CASE("cross-site guard, by Origin and what the world calls this server") {
  struct row {
    std::string public_origin;
    std::string origin;
    std::string outcome;
  };
  auto const [public_origin, origin, expected] = GENERATE(values<row>({
      {"https://www.example.com", "https://www.example.com", "ok"},
      {"https://www.example.com", "HTTPS://WWW.example.com", "ok"},
      {"https://www.example.com", "http://www.example.com", "csrf"},
      {"https://www.example.com", "https://app.example.com", "csrf"},
      {"https://www.example.com", "https://www.example.com.evil.example", "csrf"},
      {"", "https://app.example.com", "ok"},  // the scheme is not known behind a TLS terminator
      {"", "https://app.example.com:444", "csrf"},
      {"", "https://xapp.example.com", "csrf"},
  }));
  CAPTURE(public_origin, origin);
  auto const name = public_origin.empty() ? "sid" : "__Host-sid";
  auto const yaml = "server: { public_origin: \"" + public_origin + "\" }\nroutes: [{ path: /**, upstream: app }]\n";
  CHECK(guarded(yaml, "POST /a", {"Origin: " + origin, "Cookie: " + std::string(name) + "=" + std::string(an_id)}) ==
        expected);
}

TEST_CASE("log-out by GET, only a person who is here may ask for it") {
  struct row {
    std::vector<std::string> fields;
    std::string outcome;
  };
  auto const [fields, expected] = GENERATE(values<row>({
      {{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: same-origin"}, "ok"},
      {{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: none"}, "ok"},
      {{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: cross-site"}, "csrf"},
      {{"Sec-Fetch-Mode: no-cors", "Sec-Fetch-Site: same-origin"}, "csrf"},  // a picture
      {{"Accept: text/html", "Referer: http://app.example.com/a"}, "ok"},
      {{"Accept: text/html", "Referer: http://evil.example/"}, "csrf"},
      {{"Accept: text/html"}, "csrf"},
      {{}, "csrf"},
  }));
  CAPTURE(fields);
  CHECK(guarded(guarded_routes, "GET /logout", fields) == expected);
  auto with_session = fields;
  with_session.push_back(cookie);
  CHECK(guarded(guarded_routes, "GET /logout", with_session) == expected);
}

TEST_CASE("allow, by roles and fields of the session") {
  struct row {
    std::string allow;
    std::vector<std::pair<std::string, std::string>> session;
    std::string outcome;
  };
  auto const [allow, session, expected] = GENERATE(values<row>({
      {"{ roles: [admin] }", {{"role", "admin"}}, "ok"},
      {"{ roles: [admin] }", {{"role", "user, admin"}}, "ok"},
      {"{ roles: [admin] }", {{"role", "administrator"}}, "forbidden"},
      {"{ roles: [admin] }", {{"role", "Admin"}}, "forbidden"},
      {"{ roles: [admin] }", {{"role", ""}}, "forbidden"},
      {"{ roles: [admin] }", {}, "forbidden"},
      {"{ roles: [admin, ops] }", {{"role", "ops"}}, "ok"},
      {"{ fields: { plan: [pro, team] } }", {{"plan", "team"}}, "ok"},
      {"{ fields: { plan: [pro, team] } }", {{"plan", "pro,team"}}, "forbidden"},
      {"{ fields: { plan: [pro, team] } }", {{"plan", "free"}}, "forbidden"},
      {"{ fields: { plan: [pro, team] } }", {}, "forbidden"},
      {"{ fields: { plan: [pro], tenant: [acme] } }", {{"plan", "pro"}, {"tenant", "acme"}}, "ok"},
      {"{ fields: { plan: [pro], tenant: [acme] } }", {{"plan", "pro"}}, "forbidden"},
      {"{ roles: [admin], fields: { plan: [pro] } }", {{"role", "admin"}, {"plan", "pro"}}, "ok"},
      {"{ roles: [admin], fields: { plan: [pro] } }", {{"role", "admin"}}, "forbidden"},
      {"{ roles: [admin], fields: { plan: [pro] } }", {{"plan", "pro"}}, "forbidden"},
  }));
  CAPTURE(allow, session);
  exchange_fixture b("routes: [{ path: /**, upstream: app, allow: " + allow + " }]\n");
  REQUIRE(outcome(b.matched(head_of("GET / HTTP/1.1", {"Host: h"}))) == "ok");
  b.log_in(session);
  CHECK(outcome(authorize(b.x)) == expected);
}

TEST_CASE("allow, nobody is logged in on a route where that is optional: forbidden") {
  exchange_fixture b("routes: [{ path: /**, upstream: app, auth: optional, allow: { roles: [admin] } }]\n");
  REQUIRE(outcome(b.matched(head_of("GET / HTTP/1.1", {"Host: h"}))) == "ok");
  CHECK(outcome(authorize(b.x)) == "forbidden");
}

TEST_CASE("allow and guard, the guard comes first: who is not here learns nothing") {
  exchange_fixture b("routes: [{ path: /**, upstream: app, allow: { roles: [admin] } }]\n");
  REQUIRE(outcome(b.matched(head_of("POST / HTTP/1.1", {"Host: h", cookie, "Sec-Fetch-Site: cross-site"}))) == "ok");
  CHECK(outcome(authorize(b.x)) == "csrf");
}

TEST_CASE("login page, who is sent there instead of being told 401") {
  struct row {
    std::string unauthenticated;
    std::vector<std::string> fields;
    bool sent;
  };
  auto const [unauthenticated, fields, sent] = GENERATE(values<row>({
      {"auto", {"Accept: text/html"}, true},
      {"auto", {}, false},
      {"reject", {"Accept: text/html"}, false},
      {"redirect", {}, true},
  }));
  CAPTURE(unauthenticated, fields);
  exchange_fixture b("routes: [{ path: /**, upstream: app, unauthenticated: " + unauthenticated + " }]\n");
  auto all = fields;
  all.emplace_back("Host: h");
  b.begin(head_of("GET / HTTP/1.1", all));
  CHECK_FALSE(goes_to_login(b.x, errc::no_session));  // no route is known yet
  REQUIRE(outcome(b.matched(head_of("GET / HTTP/1.1", all))) == "ok");
  CHECK(goes_to_login(b.x, errc::no_session) == sent);
  CHECK(goes_to_login(b.x, errc::session_expired) == sent);
  for (auto const other : {errc::forbidden, errc::store_unavailable, errc::csrf, errc::bad_identity})
    CHECK_FALSE(goes_to_login(b.x, other));
}
