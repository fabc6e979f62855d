#include "answered.hpp"
#include "doorward/pipeline/process.hpp"
#include "exchange_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

// Requests that end here, from their bytes to the answer on the wire.

namespace {

std::string const routes = R"(
routes:
  - { id: gone, path: /gone, respond: 410, auth: none }
  - { id: empty, path: /empty, respond: 204, auth: none }
  - { id: read, path: /read/**, methods: [GET], upstream: app }
  - { id: write, path: /read/**, methods: [PUT, DELETE], upstream: app }
  - { id: admin, path: /admin, upstream: app, auth: optional, allow: { roles: [admin] } }
  - { id: private, path: /private/**, upstream: app }
)";

// Serves one request; the answer, with nothing behind it.
answered served(exchange_fixture& b, std::string const& bytes) {
  b.begin(bytes);
  bool done = false;
  net::spawn([](exchange& x, bool& ended) -> net::task<> {
    co_await process(x);
    ended = true;
  }(b.x, done));
  test::settle(b.worker.context);
  REQUIRE(done);
  return parsed(b.client.read());
}

std::string get(std::string const& path, std::vector<std::string> fields = {}) {
  fields.emplace_back("Host: h");
  return head_of("GET " + path + " HTTP/1.1", fields);
}

std::string const html = "Accept: text/html";
std::string const session_cookie = "Cookie: sid=" + std::string(an_id);

}  // namespace

TEST_CASE("answer, by what is the matter") {
  struct row {
    std::string request;
    unsigned status;
    std::string reason;  ///< errc, or empty where it is no refusal
    std::string decision;
    bool close = false;
  };
  auto const cross = "Sec-Fetch-Site: cross-site";
  auto const r = GENERATE_REF(values<row>({
      {get("/nothing"), 404, "no_route", "not_found"},
      {get("/.doorward/x"), 404, "no_route", "not_found"},
      {get("/gone"), 410, "", "respond"},
      {get("/empty"), 204, "", "respond"},
      {get("/private/a"), 401, "no_session", "no_session"},
      {get("/private/a", {html}), 302, "no_session", "redirect"},
      {get("/private/a", {session_cookie}), 503, "store_unavailable", "store_unavailable"},
      {get("/private/a", {session_cookie, html}), 503, "store_unavailable", "store_unavailable"},
      {get("/.doorward/whoami", {html}), 401, "no_session", "no_session"},
      {get("/admin"), 403, "forbidden", "forbidden"},
      {get("/admin", {html}), 403, "forbidden", "forbidden"},
      {head_of("POST /gone HTTP/1.1", {"Host: h", "Cookie: sid=x", cross}), 403, "csrf", "csrf"},
      {head_of("POST /read/a HTTP/1.1", {"Host: h"}), 405, "method_not_allowed", "method_not_allowed"},
      {get("/gone/..;/private"), 400, "ambiguous_path", "ambiguous_path", true},
      {get("/a?b#c"), 400, "bad_request", "bad_request", true},
      {head_of("POST /gone HTTP/1.1", {"Host: h", "Content-Length: 99999999999"}), 413, "body_too_large",
       "body_too_large", true},
      {head_of("POST /gone HTTP/1.1", {"Host: h", "Expect: x"}), 417, "unsupported_expectation", "bad_request", true},
  }));
  CAPTURE(r.request);
  exchange_fixture b(routes);
  auto const a = served(b, r.request);
  CHECK(a.status == r.status);
  CHECK(b.x.status == r.status);
  CHECK((b.x.refused ? std::string(about(*b.x.refused).reason) : "") == r.reason);
  CHECK(b.x.decision.name() == r.decision);
  CHECK(b.x.close == r.close);
  CHECK(a.field("Connection") == (r.close ? "close" : "(none)"));
  CHECK(a.field("X-Request-Id") == b.x.request_id);
  CHECK(a.field("Set-Cookie") == "(none)");  // Redis has said nothing
  if (r.status != 204) CHECK(a.field("Content-Length") == std::to_string(a.body.size()));
  CHECK(b.x.bytes_out == a.body.size());
  // Counted once, under its route.
  auto const& cells = b.worker.metrics.route(b.x.route_index).requests;
  REQUIRE(cells.size() == 1);
  CHECK(cells[0].count == 1);
  CHECK(cells[0].status() == r.status);
}

TEST_CASE("login page, the way back is the page that was asked for") {
  struct row {
    std::string target;
    std::string location;
  };
  auto const [target, location] = GENERATE(values<row>({
      {"/private/a", "/login?next=/private/a"},
      {"/private/a?b=c&d", "/login?next=/private/a%3Fb%3Dc%26d"},
      {"/private/a?", "/login?next=/private/a%3F"},
      {"/private/%C3%A4", "/login?next=/private/%25C3%25A4"},
      {"/private/x/../a", "/login?next=/private/a"},
      {"/private/a?x=/../..//evil", "/login?next=/private/a%3Fx%3D/../..//evil"},
  }));
  CAPTURE(target);
  exchange_fixture b(routes);
  auto const a = served(b, get(target, {html}));
  CHECK(a.status == 302);
  CHECK(a.field("Location") == location);
}

TEST_CASE("login page, what has been posted is not asked for again") {
  exchange_fixture b("routes: [{ path: /**, upstream: app, unauthenticated: redirect }]\n");
  auto const a = served(b, head_of("POST /form HTTP/1.1", {"Host: h", html}));
  CHECK(a.status == 302);
  CHECK(a.field("Location") == "/login");
}

TEST_CASE("method not allowed, those that are") {
  struct row {
    std::string line;
    std::string allow;
  };
  auto const [line, allow] = GENERATE(values<row>({
      {"POST /read/a HTTP/1.1", "DELETE, GET, HEAD, PUT"},
      {"TRACE /gone HTTP/1.1", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"},
      {"PUT /logout HTTP/1.1", "GET, POST"},
  }));
  CAPTURE(line);
  exchange_fixture b(routes);
  auto const a = served(b, head_of(line, {"Host: h"}));
  CHECK(a.status == 405);
  CHECK(a.field("Allow") == allow);
}

TEST_CASE("HEAD, the head of the answer to GET and nothing more") {
  auto const path = GENERATE(as<std::string>{}, "/gone", "/nothing", "/private/a");
  CAPTURE(path);
  exchange_fixture b(routes);
  auto const to_get = served(b, get(path));
  auto const to_head = served(b, head_of("HEAD " + path + " HTTP/1.1", {"Host: h"}));
  CHECK(to_head.status == to_get.status);
  CHECK(to_head.field("Content-Length") == to_get.field("Content-Length"));
  CHECK(to_head.body.empty());
  CHECK(b.x.bytes_out == 0);
}

TEST_CASE("connection, after an answer that came before the body") {
  struct row {
    std::vector<std::string> fields;
    std::string body;
    bool close;
  };
  auto const [fields, body, close] = GENERATE(values<row>({
      {{"Content-Length: 5"}, "hello", false},
      {{"Content-Length: 5", "Expect: 100-continue"}, "", true},  // will it come or not?
      {{"Content-Length: 70000"}, "", true},
      {{"Transfer-Encoding: chunked"}, "5\r\nhello\r\n0\r\n\r\n", true},  // it may be of any size
  }));
  CAPTURE(fields);
  exchange_fixture b(routes);
  auto all = fields;
  all.emplace_back("Host: h");
  auto const a = served(b, head_of("POST /gone HTTP/1.1", all) + body);
  CHECK(a.status == 410);
  CHECK(b.x.close == close);
  CHECK(a.field("Connection") == (close ? "close" : "(none)"));
  CHECK(a.head.find("100 Continue") == std::string::npos);
}

TEST_CASE("connection, kept for HTTP/1.0: that has to be said") {
  exchange_fixture b(routes);
  auto const kept = served(b, head_of("GET /gone HTTP/1.0", {"Connection: keep-alive"}));
  CHECK(kept.field("Connection") == "keep-alive");
  CHECK_FALSE(b.x.close);
  auto const closed = served(b, head_of("GET /gone HTTP/1.0", {}));
  CHECK(closed.field("Connection") == "close");
  CHECK(b.x.close);
}

TEST_CASE("the client has gone before the answer") {
  exchange_fixture b(routes);
  b.begin(get("/gone"));
  b.client.close();
  bool done = false;
  net::spawn([](exchange& x, bool& ended) -> net::task<> {
    co_await process(x);
    ended = true;
  }(b.x, done));
  REQUIRE(done);
  CHECK(b.x.refused == errc::client_gone);
  CHECK(b.x.close);
}

TEST_CASE("a head that could not be read to its end is answered, counted, and the connection closed") {
  auto const why = GENERATE(errc::request_timeout, errc::header_too_large, errc::bad_request);
  CAPTURE(about(why).reason);
  exchange_fixture b(routes);
  b.x.begin(b.down, {});
  bool done = false;
  net::spawn([](exchange& x, errc e, bool& ended) -> net::task<> {
    co_await refuse_unread(x, e);
    ended = true;
  }(b.x, why, done));
  REQUIRE(done);
  auto const a = parsed(b.client.read());
  CHECK(a.status == about(why).status);
  CHECK(a.field("Connection") == "close");
  CHECK(b.x.close);
  CHECK(b.worker.metrics.route(obs::worker_metrics::no_route).requests.size() == 1);
}
