#include "exchange_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

namespace {

std::string const id_cookie = "sid=" + std::string(an_id);

// The head that goes upstream, byte for byte. The two ids, which are other ones each time, stand as {id} and {trace}.
std::string upstream_head(exchange_fixture& b, std::string const& request,
                          std::vector<std::pair<std::string, std::string>> const& session = {}) {
  REQUIRE(outcome(b.matched(request)) == "ok");
  if (!session.empty()) b.log_in(session);
  auto const r = transform(b.x);
  if (!r) return outcome(r);
  auto head = b.x.upstream_head;
  auto const replace = [&](std::string_view what, std::string_view by) {
    if (auto const at = head.find(what); at != std::string::npos) head.replace(at, what.size(), by);
  };
  replace("traceparent: " + std::string(b.x.traceparent), "traceparent: {trace}");
  replace("X-Request-Id: " + std::string(b.x.request_id), "X-Request-Id: {id}");
  return head;
}

}  // namespace

TEST_CASE("upstream head, a plain request with a session") {
  exchange_fixture b;
  CHECK(upstream_head(b,
                      "GET /a/%7e/../b?c=%64&e HTTP/1.1\r\n"
                      "Host: App.example.com:8080\r\n"
                      "User-Agent:   curl/8  \r\n"
                      "Accept: */*\r\n"
                      "Connection: keep-alive\r\n"
                      "X-User-Id: forged\r\n"
                      "x_user_role: forged\r\n"
                      "X-Forwarded-For: 198.51.100.7\r\n"
                      "X-Forwarded-Proto: https\r\n"
                      "X-Request-Id: forged\r\n"
                      "Cookie: a=1; " +
                          id_cookie +
                          "; b=\"2\"\r\n"
                          "If-None-Match: \"x\"\r\n"
                          "\r\n",
                      {{"userId", "42"}, {"role", "admin,ops"}}) ==
        "GET /a/b?c=%64&e HTTP/1.1\r\n"
        "Host: App.example.com:8080\r\n"
        "User-Agent:   curl/8  \r\n"
        "Accept: */*\r\n"
        "If-None-Match: \"x\"\r\n"
        "Cookie: a=1; b=\"2\"\r\n"
        "X-Forwarded-For: 192.0.2.1\r\n"
        "X-Forwarded-Proto: http\r\n"
        "X-Forwarded-Host: App.example.com:8080\r\n"
        "X-Request-Id: {id}\r\n"
        "traceparent: {trace}\r\n"
        "X-User-Id: 42\r\n"
        "X-User-Role: admin,ops\r\n"
        "\r\n");
}

TEST_CASE("upstream head, nobody is logged in: no identity at all") {
  exchange_fixture b("routes: [{ path: /**, upstream: app, auth: optional }]\n");
  CHECK(upstream_head(b, head_of("GET / HTTP/1.1", {"Host: h", "X-User-Id: forged", "Cookie: " + id_cookie})) ==
        "GET / HTTP/1.1\r\n"
        "Host: h\r\n"
        "X-Forwarded-For: 192.0.2.1\r\n"
        "X-Forwarded-Proto: http\r\n"
        "X-Forwarded-Host: h\r\n"
        "X-Request-Id: {id}\r\n"
        "traceparent: {trace}\r\n"
        "\r\n");
}

TEST_CASE("upstream head, body framing is written anew") {
  struct row {
    std::string field;
    std::string line;
  };
  auto const [field, line] = GENERATE(values<row>({
      {"content-length: 0005", "Content-Length: 5\r\n"},
      {"Content-Length: 0", "Content-Length: 0\r\n"},
      {"transfer-encoding:Chunked", "Transfer-Encoding: chunked\r\n"},
  }));
  CAPTURE(field);
  exchange_fixture b;
  CHECK(upstream_head(b, head_of("POST /a HTTP/1.1", {"Host: h", field, "Content-Type: text/plain",
                                                      "Expect: 100-continue", "TE: trailers"})) ==
        "POST /a HTTP/1.1\r\n"
        "Host: h\r\n"
        "Content-Type: text/plain\r\n"
        "X-Forwarded-For: 192.0.2.1\r\n"
        "X-Forwarded-Proto: http\r\n"
        "X-Forwarded-Host: h\r\n"
        "X-Request-Id: {id}\r\n"
        "traceparent: {trace}\r\n" +
            line + "\r\n");
}

TEST_CASE("upstream head, a WebSocket handshake") {
  exchange_fixture b;
  CHECK(upstream_head(b,
                      head_of("GET /socket HTTP/1.1",
                              {"Host: h", "Connection: keep-alive, Upgrade", "Upgrade: WebSocket",
                               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"}),
                      {{"userId", "42"}}) ==
        "GET /socket HTTP/1.1\r\n"
        "Host: h\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n"
        "X-Forwarded-For: 192.0.2.1\r\n"
        "X-Forwarded-Proto: http\r\n"
        "X-Forwarded-Host: h\r\n"
        "X-Request-Id: {id}\r\n"
        "traceparent: {trace}\r\n"
        "X-User-Id: 42\r\n"
        "Connection: Upgrade\r\n"
        "Upgrade: WebSocket\r\n"
        "\r\n");
}

TEST_CASE("upgrade, by what is asked for and how") {
  struct row {
    std::string line;
    std::vector<std::string> fields;
    bool passes;
  };
  auto const [line, fields, passes] = GENERATE(values<row>({
      {"GET / HTTP/1.1", {"Connection: upgrade", "Upgrade: websocket"}, true},
      {"GET / HTTP/1.1", {"Connection: upgrade"}, false},
      {"GET / HTTP/1.1", {"Upgrade: websocket"}, false},
      {"GET / HTTP/1.1", {"Connection: upgrade", "Upgrade: h2c"}, false},
      {"GET / HTTP/1.1", {"Connection: upgrade", "Upgrade: websocket, h2c"}, false},
      {"GET / HTTP/1.1", {"Connection: upgrade", "Upgrade: websocket/1"}, false},
      {"POST / HTTP/1.1", {"Connection: upgrade", "Upgrade: websocket"}, false},
      {"GET / HTTP/1.0", {"Connection: upgrade", "Upgrade: websocket"}, false},
      {"GET / HTTP/1.1", {"Connection: upgrade", "Upgrade: websocket", "Content-Length: 1"}, false},
      {"GET / HTTP/1.1", {"Connection: upgrade", "Upgrade: websocket", "Transfer-Encoding: chunked"}, false},
      {"GET /login HTTP/1.1", {"Connection: upgrade", "Upgrade: websocket"}, false},
  }));
  CAPTURE(line, fields);
  exchange_fixture b;
  auto all = fields;
  all.emplace_back("Host: h");
  auto const head = upstream_head(b, head_of(line, all));
  CHECK(passes_upgrade(b.x) == passes);
  CHECK((head.find("Upgrade") != std::string::npos) == passes);
}

TEST_CASE("upstream head, from a trusted proxy: what it says is passed on") {
  exchange_fixture b("server: { trusted_proxies: [192.0.2.0/24] }\nroutes: [{ path: /**, upstream: app }]\n");
  b.from.trusted = true;
  CHECK(upstream_head(
            b, head_of("GET / HTTP/1.1",
                       {"Host: inner", "X-Forwarded-For: 198.51.100.7, 10.0.0.1", "X-Forwarded-Proto: https",
                        "X-Forwarded-Host: app.example.com", "X-Forwarded-For: 10.0.0.2", "Forwarded: for=198.51.100.7",
                        "X-Request-Id: theirs", "X-User-Id: forged",
                        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate: a=b"})) ==
        "GET / HTTP/1.1\r\n"
        "Host: inner\r\n"
        "X-Forwarded-Proto: https\r\n"
        "X-Forwarded-Host: app.example.com\r\n"
        "Forwarded: for=198.51.100.7\r\n"
        "tracestate: a=b\r\n"
        "X-Forwarded-For: 198.51.100.7, 10.0.0.1, 10.0.0.2, 192.0.2.1\r\n"
        "X-Request-Id: {id}\r\n"
        "traceparent: {trace}\r\n"
        "\r\n");
  CHECK(b.x.request_id == "theirs");
  CHECK(b.x.traceparent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
}

TEST_CASE("upstream head, a trusted proxy says nothing: doorward does") {
  exchange_fixture b("server: { trusted_proxies: [192.0.2.0/24] }\nroutes: [{ path: /**, upstream: app }]\n");
  b.from.trusted = true;
  auto const expected =
      "GET / HTTP/1.1\r\n"
      "Host: h\r\n"
      "X-Forwarded-For: 192.0.2.1\r\n"
      "X-Forwarded-Proto: http\r\n"
      "X-Forwarded-Host: h\r\n"
      "X-Request-Id: {id}\r\n"
      "traceparent: {trace}\r\n"
      "\r\n";
  CHECK(upstream_head(b, head_of("GET / HTTP/1.1", {"Host: h"})) == expected);
  CHECK(upstream_head(b, head_of("GET / HTTP/1.1", {"Host: h", "X-Forwarded-For:"})) == expected);
  // What Connection names has not been passed on by the proxy, so it has not been said.
  CHECK(upstream_head(b, head_of("GET / HTTP/1.1",
                                 {"Host: h", "Connection: X-Forwarded-Proto, X-Forwarded-Host",
                                  "X-Forwarded-Proto: https", "X-Forwarded-Host: app.example.com"})) == expected);
}

TEST_CASE("upstream head, Connection names what doorward says: it is said all the same") {
  exchange_fixture b;
  CHECK(upstream_head(b,
                      head_of("POST / HTTP/1.1",
                              {"Host: h",
                               "Connection: X-User-Id, X-Forwarded-For, X-Forwarded-Host, Host, Content-Length, "
                               "X-Request-Id, traceparent",
                               "Content-Length: 2"}),
                      {{"userId", "42"}}) ==
        "POST / HTTP/1.1\r\n"
        "Host: h\r\n"
        "X-Forwarded-For: 192.0.2.1\r\n"
        "X-Forwarded-Proto: http\r\n"
        "X-Forwarded-Host: h\r\n"
        "X-Request-Id: {id}\r\n"
        "traceparent: {trace}\r\n"
        "X-User-Id: 42\r\n"
        "Content-Length: 2\r\n"
        "\r\n");
}

TEST_CASE("upstream head, a body that the method gives no meaning: the connection is used for nothing else") {
  struct row {
    std::string method;
    std::string framing;
    bool close;
  };
  auto const [method, framing, close] = GENERATE(values<row>({
      {"GET", "Content-Length: 5", true},
      {"GET", "Transfer-Encoding: chunked", true},
      {"HEAD", "Content-Length: 5", true},
      {"DELETE", "Content-Length: 5", true},
      {"OPTIONS", "Content-Length: 5", true},
      {"GET", "Accept: */*", false},
      {"POST", "Content-Length: 5", false},
      {"PUT", "Transfer-Encoding: chunked", false},
      {"PATCH", "Content-Length: 5", false},
      {"REPORT", "Content-Length: 5", false},
  }));
  CAPTURE(method, framing);
  exchange_fixture b;
  auto const head = upstream_head(b, head_of(method + " / HTTP/1.1", {"Host: h", framing}));
  CHECK((head.find("\r\nConnection: close\r\n") != std::string::npos) == close);
  CHECK(has_meaningless_body(b.x) == close);
}

TEST_CASE("upstream head, behind TLS of a terminator: the public scheme") {
  exchange_fixture b("server: { public_origin: https://app.example.com }\nroutes: [{ path: /**, upstream: app }]\n");
  CHECK(upstream_head(b, head_of("GET / HTTP/1.1", {"Host: h"})).find("X-Forwarded-Proto: https\r\n") !=
        std::string::npos);
}

TEST_CASE("upstream head, from a Unix socket: the peer has no address") {
  exchange_fixture b;
  b.from = {};
  b.from.text = "unix";
  b.from.is_unix = true;
  CHECK(upstream_head(b, head_of("GET / HTTP/1.1", {"Host: h", "X-Forwarded-For: 198.51.100.7"})) ==
        "GET / HTTP/1.1\r\n"
        "Host: h\r\n"
        "X-Forwarded-Proto: http\r\n"
        "X-Forwarded-Host: h\r\n"
        "X-Request-Id: {id}\r\n"
        "traceparent: {trace}\r\n"
        "\r\n");
}

TEST_CASE("upstream head, from HTTP/1.0 without a Host") {
  exchange_fixture b;
  CHECK(upstream_head(b, head_of("GET /a HTTP/1.0", {"Accept: */*"})) ==
        "GET /a HTTP/1.1\r\n"
        "Host: \r\n"
        "Accept: */*\r\n"
        "X-Forwarded-For: 192.0.2.1\r\n"
        "X-Forwarded-Proto: http\r\n"
        "X-Request-Id: {id}\r\n"
        "traceparent: {trace}\r\n"
        "\r\n");
}

TEST_CASE("upstream head, from an absolute-form: its authority is the host") {
  exchange_fixture b;
  auto const head = upstream_head(b, head_of("GET http://app.example.com/a HTTP/1.1", {"Host: other"}));
  CHECK(head.starts_with("GET /a HTTP/1.1\r\nHost: app.example.com\r\n"));
  CHECK(head.find("other") == std::string::npos);
}

TEST_CASE("path, as the route changes it") {
  struct row {
    std::string change;
    std::string target;
    std::string line;
  };
  auto const [change, target, line] = GENERATE(values<row>({
      {"strip_prefix: /api", "/api/x?y", "GET /x?y HTTP/1.1"},
      {"strip_prefix: /api", "/api", "GET / HTTP/1.1"},
      {"strip_prefix: /api", "/api?y", "GET /?y HTTP/1.1"},
      {"strip_prefix: /api", "/api/%2fx", "ambiguous_path"},  // what is left would begin with "//" to some
      {"rewrite: /v2", "/api/x", "GET /v2/x HTTP/1.1"},
      {"rewrite: /v2", "/api/..?", "no_route"},
  }));
  CAPTURE(change, target);
  exchange_fixture b("routes: [{ path: /api/**, upstream: app, " + change + " }]\n");
  if (line == "no_route") {
    CHECK(outcome(b.matched(head_of("GET " + target + " HTTP/1.1", {"Host: h"}))) == line);
    return;
  }
  auto const head = upstream_head(b, head_of("GET " + target + " HTTP/1.1", {"Host: h"}));
  CHECK(head.substr(0, head.find("\r\n")) == line);
}

TEST_CASE("cookies, ours goes and the others stay byte for byte") {
  struct row {
    std::vector<std::string> sent;
    std::vector<std::string> passed;
  };
  auto const [sent, passed] = GENERATE_REF(values<row>({
      {{id_cookie}, {}},
      {{id_cookie + "; a=1"}, {"a=1"}},
      {{"a=1; " + id_cookie}, {"a=1"}},
      {{"a=1;" + id_cookie + ";b= \"x y\" ;  c"}, {"a=1;b= \"x y\" ;  c"}},
      {{"a=1", id_cookie, "b=2; " + id_cookie}, {"a=1", "b=2"}},
      {{"sid=short; a=1"}, {"a=1"}},
      {{"xsid=1; SID=2"}, {"xsid=1; SID=2"}},
  }));
  CAPTURE(sent);
  exchange_fixture b;
  std::vector<std::string> fields{"Host: h"};
  for (auto const& c : sent)
    fields.push_back("Cookie: " + c);
  auto const head = upstream_head(b, head_of("GET / HTTP/1.1", fields));
  std::vector<std::string> got;
  for (auto at = head.find("Cookie: "); at != std::string::npos; at = head.find("Cookie: ", at + 1))
    got.push_back(head.substr(at + 8, head.find("\r\n", at) - at - 8));
  CHECK(got == passed);
}

TEST_CASE("cookies, ours reaches an identity service that keeps the sessions itself, and nobody else") {
  struct row {
    std::string mode;
    std::string path;
    bool passed;
  };
  auto const [mode, path, passed] = GENERATE(values<row>({
      {"grant", "/login", false},
      {"external", "/login", true},
      {"external", "/login/x", true},
      {"external", "/a", false},
  }));
  CAPTURE(mode, path);
  auto yaml = test::smallest;
  auto const at = yaml.find("identity: { upstream: identity }");
  yaml.replace(at, 32, "identity: { upstream: identity, mode: " + mode + " }");
  exchange_fixture b("routes: [{ path: /**, upstream: app }]\n", yaml);
  auto const head = upstream_head(b, head_of("GET " + path + " HTTP/1.1", {"Host: h", "Cookie: a=1; " + id_cookie}));
  CHECK((head.find("Cookie: a=1; " + id_cookie + "\r\n") != std::string::npos) == passed);
  CHECK((head.find("Cookie: a=1\r\n") != std::string::npos) != passed);
}

TEST_CASE("identity, from the fields of the session") {
  std::string const headers = R"(
headers: { X-User-Id: "{userId}", X-Mail: "{email?}", X-Both: "u-{userId} {tenant?}!", X-Tag: "fixed {userId}" }
routes: [{ path: /**, upstream: app }]
)";
  using session = std::vector<std::pair<std::string, std::string>>;
  struct row {
    session fields;
    std::string lines;
  };
  auto const [fields, lines] = GENERATE(values<row>({
      {session{{"userId", "42"}}, "X-User-Id: 42\r\nX-Tag: fixed 42\r\n"},
      {session{{"userId", "42"}, {"email", "a@b"}}, "X-User-Id: 42\r\nX-Mail: a@b\r\nX-Tag: fixed 42\r\n"},
      {session{{"userId", "42"}, {"email", ""}}, "X-User-Id: 42\r\nX-Mail: \r\nX-Tag: fixed 42\r\n"},
      {session{{"userId", "42"}, {"tenant", "acme"}}, "X-User-Id: 42\r\nX-Both: u-42 acme!\r\nX-Tag: fixed 42\r\n"},
      {session{{"userId", "J\xc3\xb6rg 100%"}}, "X-User-Id: J%C3%B6rg 100%25\r\nX-Tag: fixed J%C3%B6rg 100%25\r\n"},
      {session{{"userId", "100%"}}, "X-User-Id: 100%\r\nX-Tag: fixed 100%\r\n"},
      {session{{"email", "a@b"}}, "bad_identity"},  // half an identity
      {session{{"userId", "42\r\nX-User-Role: admin"}}, "bad_identity"},
      {session{{"userId", "42\n"}}, "bad_identity"},
      {session{{"userId", std::string("4\0002", 3)}}, "bad_identity"},
      {session{{"userId", "42"}, {"email", "a\rb"}}, "bad_identity"},
      {session{{"userId", "42"}, {"tenant", "a\nb"}}, "bad_identity"},
  }));
  CAPTURE(fields);
  exchange_fixture b(headers);
  auto const head = upstream_head(b, head_of("GET / HTTP/1.1", {"Host: h"}), fields);
  auto const at = head.find("traceparent: {trace}\r\n");
  CHECK((at == std::string::npos ? head : head.substr(at + 22)) == (at == std::string::npos ? lines : lines + "\r\n"));
}

TEST_CASE("what doorward answers itself has no upstream head") {
  auto const path = GENERATE(as<std::string>{}, "/logout", "/.doorward/whoami", "/gone");
  exchange_fixture b("routes:\n  - { path: /gone, respond: 410 }\n  - { path: /**, upstream: app }\n");
  CHECK(upstream_head(b, head_of("POST " + path + " HTTP/1.1", {"Host: h"})).empty());
}
