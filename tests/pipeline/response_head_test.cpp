#include "exchange_fixture.hpp"
#include "pipeline/upstream_exchange.hpp"

using namespace doorward;
using namespace doorward::pipeline;

namespace {

struct told {
  std::string status = "200 OK";
  std::string path = "/a";
  std::string extra = {};
  head_changes changes = {};
};

// The answer's head as the client gets it, after "HTTP/1.1 ". The request's id stands as {id}; a date that was added is
// left out.
std::string client_head(exchange_fixture& b, std::vector<std::string> const& fields, told const& t = {}) {
  REQUIRE(outcome(b.matched(head_of("GET " + t.path + " HTTP/1.1", {"Host: h"}))) == "ok");
  static std::string bytes;  // what x.response views
  bytes = head_of("HTTP/1.1 " + t.status, fields);
  REQUIRE(outcome(http::parse_response_head(bytes, b.worker.view.limits, b.x.head.verb, b.x.response)) == "ok");
  b.worker.date = "today";
  std::string out = "before ";
  append_response_head(out, b.x, t.extra, t.changes);
  REQUIRE(out.starts_with("before HTTP/1.1 "));
  auto head = out.substr(16);
  auto const line = "X-Request-Id: " + std::string(b.x.request_id) + "\r\n";
  auto const at = head.find(line);
  REQUIRE(at != std::string::npos);
  head.replace(at, line.size(), "X-Request-Id: {id}\r\n");
  if (auto const date = head.find("Date: " + b.worker.date + "\r\n"); date != std::string::npos)
    head.erase(date, head.find('\n', date) + 1 - date);
  return head;
}

bool has_line(std::string const& head, std::string const& line) {
  return head.find("\r\n" + line + "\r\n") != std::string::npos;
}

}  // namespace

TEST_CASE("response head, what concerns the client passes on byte for byte") {
  exchange_fixture b;
  CHECK(client_head(
            b,
            {"Server: nginx", "Content-Type:text/html;  charset=utf-8", "Connection: keep-alive",
             "Keep-Alive: timeout=5", "Content-Length: 5", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2", "X_Odd: 1"},
            {.status = "203 What I made of it", .extra = "Connection: close\r\n"}) ==
        "203 What I made of it\r\n"
        "Server: nginx\r\n"
        "Content-Type:text/html;  charset=utf-8\r\n"
        "Content-Length: 5\r\n"
        "Set-Cookie: a=1; Path=/\r\n"
        "Set-Cookie: b=2\r\n"
        "X_Odd: 1\r\n"
        "X-Request-Id: {id}\r\n"
        "Connection: close\r\n"
        "\r\n");
}

TEST_CASE("response head, without any field") {
  exchange_fixture b;
  CHECK(client_head(b, {}) == "200 OK\r\nX-Request-Id: {id}\r\n\r\n");
  CHECK(client_head(b, {"Connection: close"}) == "200 OK\r\nX-Request-Id: {id}\r\n\r\n");
  CHECK(client_head(b, {}, {.status = "404 "}) == "404 \r\nX-Request-Id: {id}\r\n\r\n");
}

TEST_CASE("response fields, what becomes of each") {
  struct row {
    std::string line;
    bool kept;
    told t = {};
  };
  exchange_fixture b;
  told const no_content{.status = "204 No Content"};
  told const not_modified{.status = "304 Not Modified"};
  told const switching{.status = "101 Switching Protocols"};
  told const login{.path = "/login"};
  told const no_store{.changes = {.no_store = true}};
  told const without_body{.changes = {.without_body = true}};
  for (auto const& r : std::vector<row>{
           {"Date: Wed, 01 May 2024 12:00:00 GMT", true},
           {"Location: /x", true},
           {"WWW-Authenticate: Basic", true},
           {"X-User-Id: 42", true},
           {"Alt-Svc: clear", true},
           // About the connection to the upstream.
           {"Connection: close", false},
           {"Keep-Alive: timeout=5", false},
           {"Proxy-Authenticate: Basic", false},
           {"Proxy-Connection: close", false},
           {"TE: trailers", false},
           {"Trailer: X-Sum", false},
           {"Transfer-Encoding: chunked", false},
           {"Upgrade: h2c", false},
           // Told by doorward.
           {"X-Request-Id: theirs", false},
           {"x-request-id: theirs", false},
           // Framing, where it would be wrong.
           {"Content-Length: 5", true},
           {"Content-Length: 5", true, not_modified},
           {"Content-Length: 0", false, no_content},
           {"Content-Length: 0", false, switching},
           {"Content-Length: 5", false, without_body},
           {"Content-Type: text/html", true, no_store},
           {"Content-Type: text/html", false, without_body},
           {"content-encoding: gzip", false, without_body},
           {"ETag: \"x\"", false, without_body},
           {"Vary: Accept", true, without_body},
           {"ETag: \"x\"", true},
           // Caching.
           {"Cache-Control: public", true},
           {"Cache-Control: public", false, no_store},
           // Our cookie.
           {"Set-Cookie: sid=planted", false},
           {"Set-Cookie: sid=planted; Path=/x", false},
           {"set-cookie:  sid =planted", false},
           {"Set-Cookie: =sid=planted", false},
           {"Set-Cookie: sid=planted", false, login},
           {"Set-Cookie: sid2=x", true},
           {"Set-Cookie: SID=x", true},
           {"Set-Cookie: a=sid=x", true},
           // Words of the identity service to doorward.
           {"Doorward-Grant: {}", false},
           {"Doorward-Grant: {}", false, login},
           {"doorward-grant-options: remember", false},
           {"Doorward-Anything: 1", false},
           {"Doorwards: 1", true},
       }) {
    CAPTURE(r.line, r.t.status, r.t.path);
    CHECK(has_line(client_head(b, {"A: 1", r.line, "B: 2"}, r.t), r.line) == r.kept);
    auto const head = client_head(b, {"A: 1", r.line, "B: 2"}, r.t);
    CHECK(has_line(head, "A: 1"));
    CHECK(has_line(head, "B: 2"));
  }
}

TEST_CASE("response head, Connection: what it names does not pass on") {
  exchange_fixture b;
  CHECK(client_head(b, {"Connection: close, X-Hop", "X-Hop: 1", "x-hop: 2", "X-Other: 3"}) ==
        "200 OK\r\nX-Other: 3\r\nX-Request-Id: {id}\r\n\r\n");
}

TEST_CASE("response head, Connection names the length: the client is told it all the same") {
  // It frames the body that follows; without it the client would take the next answer for its rest.
  exchange_fixture b;
  CHECK(client_head(b, {"Connection: Content-Length", "Content-Length: 5"}) ==
        "200 OK\r\nContent-Length: 5\r\nX-Request-Id: {id}\r\n\r\n");
}

TEST_CASE("grants of others than the identity service are counted") {
  exchange_fixture b;
  (void)client_head(b, {"Doorward-Grant: {}", "Doorward-Grant-Options: remember"});
  CHECK(b.worker.metrics.reserved_headers_stripped() == 2);
  (void)client_head(b, {"Doorward-Grant: {}"}, {.path = "/login"});
  CHECK(b.worker.metrics.reserved_headers_stripped() == 2);
}

TEST_CASE("response head, a new session: cookie and no-store go with it") {
  exchange_fixture b;
  REQUIRE(outcome(b.matched(head_of("POST /login HTTP/1.1", {"Host: h"}))) == "ok");
  std::string const bytes =
      head_of("HTTP/1.1 302 Found", {"Location: /home", "Cache-Control: public", "Set-Cookie: a=1",
                                     "Doorward-Grant: {\"userId\":\"42\"}", "Content-Length: 0"});
  REQUIRE(outcome(http::parse_response_head(bytes, b.worker.view.limits, b.x.head.verb, b.x.response)) == "ok");
  b.x.set_cookie = "sid=new; Path=/; HttpOnly; SameSite=Lax";
  std::string out;
  append_response_head(out, b.x, "", {.no_store = true});
  CHECK(out ==
        "HTTP/1.1 302 Found\r\n"
        "Location: /home\r\n"
        "Set-Cookie: a=1\r\n"
        "Content-Length: 0\r\n"
        "Date: " +
            b.worker.date +
            "\r\n"
            "X-Request-Id: " +
            std::string(b.x.request_id) +
            "\r\n"
            "Set-Cookie: sid=new; Path=/; HttpOnly; SameSite=Lax\r\n"
            "Cache-Control: no-store\r\n"
            "\r\n");
}

TEST_CASE("an answer without a date gets one, and one with a date keeps it") {
  exchange_fixture b;
  b.worker.date = "Sun, 06 Nov 1994 08:49:37 GMT";
  REQUIRE(outcome(b.matched(head_of("GET / HTTP/1.1", {"Host: h"}))) == "ok");
  for (std::string const given : {"", "date: Mon, 07 Nov 1994 08:49:37 GMT"}) {
    auto const bytes =
        head_of("HTTP/1.1 200 OK", given.empty() ? std::vector<std::string>{} : std::vector<std::string>{given});
    REQUIRE(outcome(http::parse_response_head(bytes, b.worker.view.limits, b.x.head.verb, b.x.response)) == "ok");
    std::string out;
    append_response_head(out, b.x, "", {});
    CHECK(has_line(out, given.empty() ? "Date: Sun, 06 Nov 1994 08:49:37 GMT" : given));
    CHECK(out.find("Date: Sun") == out.rfind("Date: Sun"));
    CHECK((out.find("Date: Sun") != std::string::npos) == given.empty());
  }
}

TEST_CASE("our cookie, set by an identity service that keeps the sessions itself: it passes on, and from nobody else") {
  auto yaml = test::smallest;
  yaml.replace(yaml.find("{ upstream: identity }"), 22, "{ upstream: identity, mode: external }");
  exchange_fixture b("routes: [{ path: /**, upstream: app }]\n", yaml);
  CHECK(has_line(client_head(b, {"Set-Cookie: sid=new"}, {.path = "/login/x"}), "Set-Cookie: sid=new"));
  CHECK_FALSE(has_line(client_head(b, {"Set-Cookie: sid=new"}), "Set-Cookie: sid=new"));
}
