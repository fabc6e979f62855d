#include "answered.hpp"
#include "pipeline/own.hpp"
#include "redis_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

// A proxy asks about a request that it has: what it may ask, what it is told, and that nothing but those few statuses
// ever comes.

namespace {

std::string const routes = R"(
headers: { X-User-Id: "{userId}", X-User-Name: "{name?}" }
routes:
  - { id: public, path: /public/**, upstream: app, auth: none }
  - { id: maybe, path: /maybe/**, upstream: app, auth: optional }
  - { id: admin, path: /admin/**, upstream: app, allow: { roles: [admin] } }
  - { id: gone, path: /gone, respond: 410, auth: none }
  - { id: off, path: /off, respond: 503, auth: none }
  - { id: fine, path: /fine, respond: 200, auth: none }
  - { id: who, path: /who, respond: 401, auth: none }
  - { id: post, path: /post, methods: [POST], upstream: app }
  - { id: open, path: /open/**, upstream: app, csrf: false }
  - { id: api, path: /api/**, upstream: app, unauthenticated: reject }
  - { id: hosted, host: a.example.com, path: /hosted, upstream: app, auth: none }
  - { id: read, path: /read, upstream: app, auth: passive }
  - { id: fresh, path: /fresh, upstream: app, require: { acr: 2 } }
  - { id: rest, path: /rest/**, upstream: app }
)";

struct asked {
  test::temporary_folder folder;
  exchange_fixture b{routes, "server: { trusted_proxies: [192.0.2.1] }\nredis: { url: \"unix://" +
                                 folder.file("redis") +
                                 "\" }\nupstreams: { app: http://127.0.0.1:3000 }\nidentity: { upstream: app }\n"};
  fake_redis redis{b.worker.context, folder.file("redis")};
  std::size_t commands = 0;

  explicit asked(std::vector<std::string> const& session = {}) {
    obs::log::init(obs::log::level::off, obs::log::format::json);
    b.from.trusted = true;
    redis.answer = [this, reply = hash(session)](auto& c, fake_redis::command const& command) {
      ++commands;
      c.send(command.front() == "HGETALL" ? reply : ":1\r\n");
    };
    b.worker.redis.start();
    REQUIRE(test::run_until(b.worker.context, [&] { return b.worker.redis.connected(); }));
    commands = 0;
  }
  ~asked() {
    b.watch.interrupt();
    b.worker.redis.close();
    redis.stop();
    b.pass(100ms);
  }
  asked(asked const&) = delete;
  asked& operator=(asked const&) = delete;

  answered ask(std::string const& line, std::vector<std::string> fields) {
    fields.emplace_back("Host: doorward.internal");
    b.begin(head_of(line, fields));
    bool done = false;
    net::spawn([](exchange& x, bool& ended) -> net::task<> {
      co_await process(x);
      ended = true;
    }(b.x, done));
    REQUIRE(test::run_until(b.worker.context, [&] { return done; }));
    return parsed(b.client.read());
  }
  answered about(std::string const& method, std::string const& uri, std::vector<std::string> fields = {}) {
    fields.insert(fields.end(),
                  {"X-Forwarded-Method: " + method, "X-Forwarded-Uri: " + uri, "X-Forwarded-Host: app.example.com"});
    return ask("GET /.doorward/auth HTTP/1.1", fields);
  }
  std::string reason() const { return b.x.refused ? std::string(doorward::about(*b.x.refused).reason) : "ok"; }
  std::string route() const { return b.x.route == nullptr ? "-" : b.x.route->config.id; }
};

std::string const cookie = "Cookie: sid=" + std::string(an_id);
std::string const html = "Accept: text/html";
std::string const cross = "Sec-Fetch-Site: cross-site";
std::vector<std::string> const user{"userId", "42", "role", "user", "lastSeen", "9999999999999"};

}  // namespace

TEST_CASE("a proxy that is not trusted is told nothing, whatever it says or leaves out") {
  asked t(user);
  t.b.from.trusted = false;
  auto const said = GENERATE(values<std::vector<std::string>>({
      {},
      {cookie},
      {cookie, "X-Forwarded-Method: GET", "X-Forwarded-Uri: /rest/a", "X-Forwarded-Host: h"},
      {cookie, "X-Original-Method: GET", "X-Original-URI: /public/a", "X-Forwarded-Host: h"},
  }));
  auto const a = t.ask("GET /.doorward/auth?redirect=1 HTTP/1.1", said);
  CHECK(a.status == 403);
  CHECK(t.reason() == "forward_auth_untrusted");
  CHECK(t.route() == "(auth)");
  CHECK(a.field("X-User-Id") == "(none)");
  CHECK(a.field("Location") == "(none)");
  CHECK(t.commands == 0);
}

TEST_CASE("allowed: 200 with every header, empty where there is nothing to say") {
  struct row {
    std::string uri;
    std::string id, name;
    std::size_t commands;
  };
  auto const r = GENERATE(values<row>({
      {"/rest/a?b=c", "42", "J%C3%BCrgen", 1},
      {"/maybe/a", "42", "J%C3%BCrgen", 1},
      {"/public/a", "", "", 0},
      {"/login", "", "", 0},
      {"/login/callback", "", "", 0},
      {"/logout", "", "", 0},
      {"/.doorward/whoami", "", "", 1},
  }));
  CAPTURE(r.uri);
  asked t({"userId", "42", "name", "J\xc3\xbcrgen", "lastSeen", "9999999999999"});
  auto const method = r.uri == "/logout" ? "POST" : "GET";
  auto const a = t.about(method, r.uri, {cookie, "X-User-Id: forged"});
  CHECK(a.status == 200);
  CHECK(t.reason() == "ok");
  CHECK(a.field("X-User-Id") == r.id);
  CHECK(a.field("X-User-Name") == r.name);
  CHECK(a.field("Cache-Control") == "no-store");
  CHECK(a.field("Content-Length") == "0");
  CHECK(a.field("Set-Cookie") == "(none)");
  CHECK(a.body.empty());
  CHECK(t.b.x.decision == obs::decision(obs::decision::allow));
  CHECK(t.commands == r.commands);
  CHECK_FALSE(t.b.x.close);
}

TEST_CASE("allowed: a header that may be left out is empty without its field") {
  asked t(user);
  auto const a = t.about("GET", "/rest/a", {cookie});
  CHECK(a.status == 200);
  CHECK(a.field("X-User-Id") == "42");
  CHECK(a.field("X-User-Name").empty());
  CHECK(t.route() == "rest");
  CHECK(t.b.x.path.text() == "/rest/a");
  CHECK(t.b.x.host == "app.example.com");
}

TEST_CASE("refused: the reason is that of the request, and the status one that a proxy knows") {
  struct row {
    std::string method, uri;
    std::vector<std::string> fields;
    unsigned status;
    std::string reason;
    std::string code;
    std::string route;
  };
  auto const r = GENERATE(values<row>({
      {"GET", "/rest/a", {}, 401, "no_session", "no_session", "rest"},
      {"GET", "/rest/a", {"Cookie: sid=short"}, 401, "session_malformed", "no_session", "rest"},
      {"GET", "/admin/a", {cookie}, 403, "forbidden", "forbidden", "admin"},
      {"GET", "/nothing", {cookie}, 403, "no_route", "not_found", "-"},
      {"GET", "/hosted", {cookie}, 403, "no_route", "not_found", "-"},
      {"GET", "/post", {cookie}, 403, "method_not_allowed", "method_not_allowed", "-"},
      {"TRACE", "/rest/a", {cookie}, 403, "method_not_allowed", "method_not_allowed", "-"},
      {"GET", "/public/..;/admin/a", {cookie}, 403, "ambiguous_path", "ambiguous_path", "-"},
      {"GET", "/public/%2e%2e%2fadmin/a", {cookie}, 403, "ambiguous_path", "ambiguous_path", "-"},
      {"GET", "/public/../admin/a", {cookie}, 403, "forbidden", "forbidden", "admin"},
      {"GET", "/%61dmin/a", {cookie}, 403, "forbidden", "forbidden", "admin"},
      {"GET", "/../a", {cookie}, 403, "bad_request", "bad_request", "(auth)"},
      {"GET", "/public/a#b", {cookie}, 403, "bad_request", "bad_request", "(auth)"},
      {"GET", "/public/a?b#c", {cookie}, 403, "bad_request", "bad_request", "(auth)"},
      {"GET", "/public/a%00", {cookie}, 403, "bad_request", "bad_request", "(auth)"},
      {"GET", "/public/a b", {cookie}, 403, "bad_request", "bad_request", "(auth)"},
      {"GET", "public/a", {cookie}, 403, "bad_request", "bad_request", "(auth)"},
      {"GET", "http://app.example.com/public/a", {cookie}, 403, "bad_request", "bad_request", "(auth)"},
      {"G T", "/public/a", {cookie}, 403, "bad_request", "bad_request", "(auth)"},
      {"CONNECT", "/public/a", {cookie}, 403, "bad_request", "bad_request", "(auth)"},
      {"GET", "/" + std::string(9000, 'a'), {cookie}, 403, "target_too_long", "target_too_long", "(auth)"},
      {std::string(33, 'A'), "/public/a", {cookie}, 403, "bad_request", "bad_request", "(auth)"},
      {"POST", "/rest/a", {cookie, cross}, 403, "csrf", "csrf", "rest"},
      {"GET", "/rest/a", {cookie, cross, "Sec-WebSocket-Version: 13"}, 403, "csrf", "csrf", "rest"},
      {"GET", "/logout", {cookie, cross}, 403, "csrf", "csrf", "(logout)"},
      {"POST", "/login", {cross}, 403, "csrf", "csrf", "(login)"},
      {"GET", "/.doorward/auth", {cookie}, 403, "no_route", "not_found", "(auth)"},
      {"GET", "/.doorward/else", {cookie}, 403, "no_route", "not_found", "(own)"},
      {"PUT", "/.doorward/whoami", {cookie}, 403, "method_not_allowed", "method_not_allowed", "(whoami)"},
      {"GET", "/.doorward/whoami", {}, 401, "no_session", "no_session", "(whoami)"},
  }));
  CAPTURE(r.method, r.uri);
  asked t(user);
  auto const a = t.about(r.method, r.uri, r.fields);
  CHECK(a.status == r.status);
  CHECK(t.b.x.status == r.status);
  CHECK(t.reason() == r.reason);
  CHECK(t.b.x.decision.name() == r.code);
  CHECK(t.route() == r.route);
  CHECK(a.field("Content-Type") == "application/problem+json");
  CHECK(a.body.find("\"status\":" + std::to_string(r.status)) != std::string::npos);
  CHECK(a.body.find("\"code\":\"" + r.code + '"') != std::string::npos);
  CHECK(a.field("WWW-Authenticate") == (r.status == 401 ? "Session" : "(none)"));
  CHECK(a.field("Cache-Control") == "no-store");
  CHECK(a.field("X-User-Id") == "(none)");
  CHECK(a.field("Doorward-Login") == "(none)");
  CHECK(a.field("Allow") == "(none)");
  CHECK(a.field("Connection") == "(none)");  // it is the proxy's, and nothing is wrong with it
}

TEST_CASE("allowed where another site may ask") {
  asked t(user);
  CHECK(t.about("POST", "/open/a", {cookie, cross}).status == 200);
  CHECK(t.about("GET", "/rest/a", {cookie, cross}).status == 200);
  CHECK(t.about("POST", "/rest/a", {cookie, "Sec-Fetch-Site: same-origin"}).status == 200);
  CHECK(t.about("POST", "/rest/a", {cookie, "Origin: https://app.example.com"}).status == 200);
  CHECK(t.about("POST", "/rest/a", {cookie, "Origin: https://doorward.internal"}).status == 403);
}

TEST_CASE("routes with a fixed answer let nothing through") {
  struct row {
    std::string uri;
    unsigned status;
    std::string code;
  };
  auto const r = GENERATE(values<row>(
      {{"/gone", 403, "respond"}, {"/off", 503, "respond"}, {"/fine", 403, "respond"}, {"/who", 401, "respond"}}));
  CAPTURE(r.uri);
  asked t;
  auto const a = t.about("GET", r.uri);
  CHECK(a.status == r.status);
  CHECK(a.body.find("\"code\":\"" + r.code + '"') != std::string::npos);
  CHECK(a.field("Doorward-Login") == "(none)");
  CHECK(t.b.x.decision == obs::decision(obs::decision::respond));
}

TEST_CASE("nobody is logged in: where the login is, is told for those who can see a page") {
  struct row {
    std::string question;
    std::string uri;
    std::vector<std::string> fields;
    unsigned status;
    std::string login, location;
  };
  auto const r = GENERATE(values<row>({
      {"", "/rest/a?b=c", {html}, 401, "/login?next=/rest/a%3Fb%3Dc", "(none)"},
      {"", "/rest/a", {}, 401, "(none)", "(none)"},
      {"", "/rest/a", {html, "X-Requested-With: XMLHttpRequest"}, 401, "(none)", "(none)"},
      {"", "/rest/a", {html, "Sec-Fetch-Mode: cors"}, 401, "(none)", "(none)"},
      {"", "/api/a", {html}, 401, "(none)", "(none)"},
      {"?redirect=0", "/rest/a", {html}, 401, "/login?next=/rest/a", "(none)"},
      {"?redirect=1", "/rest/a", {html}, 302, "(none)", "/login?next=/rest/a"},
      {"?redirect=1",
       "/rest/a",
       {html, "X-Forwarded-Proto: https"},
       302,
       "(none)",
       "https://app.example.com/login?next=/rest/a"},
      {"?redirect=1", "/rest/a", {html, "X-Forwarded-Proto: gopher"}, 302, "(none)", "/login?next=/rest/a"},
      {"?redirect=1", "/rest/a", {}, 401, "(none)", "(none)"},
      {"?redirect=1", "/api/a", {html}, 401, "(none)", "(none)"},
      {"", "/rest/a?redirect=1", {html}, 401, "/login?next=/rest/a%3Fredirect%3D1", "(none)"},
  }));
  CAPTURE(r.question, r.uri);
  asked t;
  auto fields = r.fields;
  fields.insert(fields.end(),
                {"X-Forwarded-Method: GET", "X-Forwarded-Uri: " + r.uri, "X-Forwarded-Host: app.example.com"});
  auto const a = t.ask("GET /.doorward/auth" + r.question + " HTTP/1.1", fields);
  CHECK(a.status == r.status);
  CHECK(a.field("Doorward-Login") == r.login);
  CHECK(a.field("Location") == r.location);
  CHECK(t.reason() == "no_session");
}

TEST_CASE("a login that is too weak: the challenge, and where to log in again") {
  asked t(user);
  auto const a = t.about("GET", "/fresh", {cookie, html});
  CHECK(a.status == 401);
  CHECK(t.reason() == "session_too_weak");
  CHECK(a.field("WWW-Authenticate").find("insufficient_user_authentication") != std::string::npos);
  CHECK(a.field("Doorward-Login").starts_with("/login?next=/fresh&acr=2"));
  CHECK(a.field("X-User-Id") == "(none)");
}

TEST_CASE("only Redis's own word takes the cookie away") {
  asked t;  // it knows no session
  auto const gone = t.about("GET", "/rest/a", {cookie});
  CHECK(gone.status == 401);
  CHECK(gone.field("Set-Cookie").starts_with("sid=; Max-Age=0"));
  CHECK(t.about("GET", "/maybe/a", {cookie}).status == 200);

  t.redis.answer = [](auto& c, auto const&) { c.send("-ERR no\r\n"); };
  auto const unknown = t.about("GET", "/rest/a", {cookie, html});
  CHECK(unknown.status == 503);
  CHECK(unknown.field("Set-Cookie") == "(none)");
  CHECK(unknown.field("Retry-After") == "1");
  CHECK(unknown.field("Location") == "(none)");
  CHECK(t.about("GET", "/maybe/a", {cookie}).status == 503);
  CHECK(t.about("GET", "/public/a", {cookie}).status == 200);
}

TEST_CASE("a field that would end a header line is nobody's identity") {
  asked t({"userId", "42\r\nX-User-Name: root", "lastSeen", "9999999999999"});
  auto const a = t.about("GET", "/rest/a", {cookie});
  CHECK(a.status == 503);
  CHECK(t.reason() == "bad_identity");
  CHECK(a.head.find("root") == std::string::npos);
}

TEST_CASE("what the proxy says has to be whole, and one story") {
  struct row {
    std::vector<std::string> said;
    unsigned status;
  };
  std::string const method = "X-Forwarded-Method: GET";
  std::string const uri = "X-Forwarded-Uri: /public/a";
  std::string const host = "X-Forwarded-Host: app.example.com";
  auto const r = GENERATE_COPY(values<row>({
      {{method, uri, host}, 200},
      {{"X-Original-Method: GET", "X-Original-URI: /public/a", host}, 200},
      {{"X-Original-Method: GET", "X-Original-URI: /public/a", "X-Original-Host: app.example.com"}, 200},
      {{"X-Original-Method: GET", "X-Original-URL: https://app.example.com/public/a"}, 200},
      {{"X-Original-Method: GET", "X-Original-URL: /public/a", host}, 200},
      {{method, uri, host, "X-Original-Method: GET", "X-Original-URI: /public/a"}, 200},
      {{method, uri, host, "X-Original-URL: http://APP.example.com/public/a"}, 200},
      {{"X-Original-Method: GET", "X-Original-URI: //public/a", host}, 403},
      // Something is not said.
      {{}, 403},
      {{uri, host}, 403},
      {{method, host}, 403},
      {{method, uri}, 403},
      {{method, "X-Forwarded-Uri:", host}, 403},
      {{"X-Forwarded-Method:", uri, host}, 403},
      {{method, uri, "X-Forwarded-Host:"}, 403},
      // Something is said twice, or in two ways.
      {{method, uri, uri, host}, 403},
      {{method, uri, host, host}, 403},
      {{method, method, uri, host}, 403},
      {{method, uri, host, "X-Original-URI: /rest/a"}, 403},
      {{method, uri, host, "X-Original-URI:"}, 403},
      {{method, uri, host, "X-Original-URI: /public//a"}, 403},
      {{method, uri, host, "X-Original-Method: POST"}, 403},
      {{method, uri, host, "X-Original-Host: other.example.com"}, 403},
      {{method, uri, host, "X-Original-URL: https://other.example.com/public/a"}, 403},
      {{method, uri, host, "X-Original-URL: https://app.example.com/public/b"}, 403},
      {{"X-Original-Method: GET", "X-Original-URI: /public/a", host, "X-Forwarded-Uri: /rest/a"}, 403},
      // No host, no address.
      {{method, uri, "X-Forwarded-Host: a.example.com, b.example.com"}, 403},
      {{method, uri, "X-Forwarded-Host: me@app.example.com"}, 403},
      {{"X-Original-Method: GET", "X-Original-URL: https://app.example.com"}, 403},
      {{"X-Original-Method: GET", "X-Original-URL: https:///public/a"}, 403},
      {{"X-Original-Method: GET", "X-Original-URL: ftp://app.example.com/public/a"}, 403},
      {{"X-Original-Method: GET", "X-Original-URL: app.example.com/public/a", host}, 403},
      // Other spellings of what the application believes.
      {{method, uri, host, "X_User_Id: 1"}, 403},
      {{method, uri, host, "X-User_Name: 1"}, 403},
      {{method, uri, host, "X.User.Id: 1"}, 403},
      {{method, uri, host, "Doorward_Grant: {}"}, 403},
      {{method, uri, host, "X_Forwarded_Uri: /rest/a"}, 200},
  }));
  CAPTURE(r.said);
  asked t;
  auto const a = t.ask("GET /.doorward/auth HTTP/1.1", r.said);
  CHECK(a.status == r.status);
  CHECK(t.b.worker.metrics.route(t.b.x.route_index).requests.size() == 1);
}

TEST_CASE("how the proxy asks does not matter, and its connection goes on") {
  asked t(user);
  std::vector<std::string> const said{"X-Forwarded-Method: HEAD", "X-Forwarded-Uri: /admin/a",
                                      "X-Forwarded-Host: app.example.com", cookie, cross};
  auto const by_get = t.ask("GET /.doorward/auth HTTP/1.1", said);
  CHECK(by_get.status == 403);
  CHECK(by_get.field("Content-Length") == std::to_string(by_get.body.size()));
  CHECK_FALSE(by_get.body.empty());
  auto const by_post = t.ask("POST /.doorward/auth HTTP/1.1", said);
  CHECK(by_post.status == 403);
  CHECK(t.reason() == "forbidden");
  auto const by_head = t.ask("HEAD /.doorward/auth HTTP/1.1", said);
  CHECK(by_head.status == 403);
  CHECK(by_head.body.empty());
  auto const upgrade = t.ask("GET /.doorward/auth HTTP/1.1",
                             {"X-Forwarded-Method: GET", "X-Forwarded-Uri: /rest/a", "X-Forwarded-Host: h", cookie,
                              "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"});
  CHECK(upgrade.status == 200);
}

TEST_CASE("a question that cannot be read is refused with a status that a proxy knows") {
  struct row {
    std::string line;
    std::vector<std::string> fields;
    unsigned status;
  };
  auto const r = GENERATE(values<row>({
      {"GET /.doorward/auth HTTP/1.1", {"Content-Length: 1", "Content-Length: 1"}, 403},
      {"GET /.doorward/auth?redirect=1 HTTP/1.1", {"Expect: something"}, 403},
      {"TRACE /.doorward/auth HTTP/1.1", {}, 403},
      {"POST /.doorward/auth HTTP/1.1", {"Content-Length: 99999999"}, 403},
      {"GET /.doorward/authors HTTP/1.1", {"Content-Length: 1", "Content-Length: 1"}, 400},
      {"GET /.doorward/auth/x HTTP/1.1", {}, 404},
      // Answered to that very spelling only: a proxy that hides it from its clients compares letters.
      {"GET /.doorward/%61uth HTTP/1.1", {}, 403},
      {"GET /.doorward/./auth HTTP/1.1", {}, 403},
      {"GET /.doorward/auth/../auth HTTP/1.1", {}, 403},
      {"GET /.doorward/auth/. HTTP/1.1", {}, 404},
      {"GET http://h/.doorward/auth HTTP/1.1", {}, 200},
      {"GET /.doorward/auth;x HTTP/1.1", {}, 400},
  }));
  CAPTURE(r.line, r.fields);
  asked t(user);
  auto fields = r.fields;
  fields.insert(fields.end(), {"X-Forwarded-Method: GET", "X-Forwarded-Uri: /rest/a", "X-Forwarded-Host: h", cookie});
  auto const a = t.ask(r.line, fields);
  CHECK(a.status == r.status);
  CHECK(a.field("X-User-Id") == (r.status == 200 ? "42" : "(none)"));
}

TEST_CASE("statuses that a proxy knows") {
  for (int i = 1; i <= static_cast<int>(errc::internal); ++i) {
    auto const& info = about(static_cast<errc>(i));
    auto const status = status_for_proxy(info.status);
    CAPTURE(info.reason);
    CHECK((status == 401 || status == 403 || status == 503));
    CHECK((status == 401) == (info.status == 401));
    CHECK((status == 503) == (info.status >= 500));
  }
  CHECK(status_for_proxy(200) == 403);
  CHECK(status_for_proxy(204) == 403);
  CHECK(status_for_proxy(301) == 403);
}
