#include "doorward/pipeline/explain.hpp"

#include "exchange_fixture.hpp"
#include "pipeline/explain_refusal.hpp"

using namespace doorward;
using namespace doorward::pipeline;

// What is told without a word of Redis, which these workers are not connected to. With it: integration.

namespace {

std::string const yaml = R"(
headers: { X-User-Id: "{userId}", X-Tenant: "t-{tenant}", X-Plan: "{plan?}" }
routes:
  - { id: public, path: /public/**, upstream: app, auth: none, methods: [GET, PUT] }
  - { id: other, path: /other, host: other.example, upstream: app, auth: none }
  - { id: gone, path: /gone, respond: 410, auth: none }
  - { id: stripped, path: /s/**, upstream: app, auth: none, strip_prefix: /s, body_bytes: 10B }
  - { id: page, path: /page, upstream: app }
  - { id: staff, path: /staff, upstream: app,
      allow: { roles: [admin, ops], fields: { plan: [pro] } } }
)";

using step = std::pair<std::string, std::string>;

std::string text_of(explanation const& e) {
  std::string out;
  for (auto const& [what, found] : e.steps)
    out += what + ": " + found + '\n';
  return out;
}

explanation explained(std::string const& line, std::vector<std::string> fields = {}) {
  exchange_fixture b(yaml);
  fields.insert(fields.begin(), "Host: app.example");
  running<explanation> r(explain(b.worker, head_of(line + " HTTP/1.1", fields)));
  test::settle(b.worker.context);
  REQUIRE(r.ended);
  return *r.ended;
}

bool told(explanation const& e, step const& wanted) {
  return std::ranges::find(e.steps, wanted) != e.steps.end();
}

}  // namespace

TEST_CASE("explain, the decision comes after what led to it") {
  struct row {
    std::string line;
    std::vector<std::string> fields;
    std::vector<step> steps;
    std::string decision;
  };
  auto const r = GENERATE(values<row>({
      {"GET /public/x", {}, {{"route", "public  (/public/**, test.yaml:8)"}}, "forward to app"},
      {"GET /login", {}, {{"route", "(login)  (/login/**, built in)"}}, "forward to the identity service, identity"},
      {"GET /gone", {}, {}, "a fixed answer: 410"},
      {"GET /.doorward/x", {}, {}, "nothing is there: 404 not_found"},
      {"GET /.doorward/jwks", {}, {}, "publish the keys of assertions"},
      {"GET /nowhere",
       {},
       {{"tried", "(login)  (/login/**, built in): another path"},
        {"tried", "public  (/public/**, test.yaml:8): another path"}},
       "404 not_found (no_route)"},
      {"GET /other",
       {},
       {{"tried",
         "other  (/other, test.yaml:9): the path is right, but it is for host other.example, and not for "
         "`app.example`"}},
       "404 not_found (no_route)"},
      {"POST /public/x",
       {},
       {{"tried",
         "public  (/public/**, test.yaml:8): host and path are right, but it is for GET, PUT, and not for POST"},
        {"allowed methods", "GET, HEAD, PUT"}},
       "405 method_not_allowed"},
      {"PUT /logout", {}, {{"allowed methods", "GET, POST"}}, "405 method_not_allowed"},
      {"TRACE /public/x", {}, {{"method", "TRACE is refused on every path"}}, "405 method_not_allowed"},
      {"GET /public/..%2fgone",
       {},
       {{"reading", "/public/..%2Fgone: route public"}, {"reading", "/gone: route gone"}},
       "400 ambiguous_path"},
      {"GET /s//x",
       {},
       {{"because", "strip_prefix /s would not be the same change to every reading of the path"}},
       "400 ambiguous_path"},
      {"PUT /s/x", {"Content-Length: 11"}, {{"body", "11 bytes; this route takes 10"}}, "413 body_too_large"},
      {"GET /page",
       {},
       {{"because", "the route wants a session, and no cookie sid came"},
        {"login page", "not offered: only navigations are sent there (GET with `Accept: text/html`)"}},
       "401 no_session"},
      {"GET /page", {"Accept: text/html"}, {}, "302 no_session, to the login page"},
      {"GET /page",
       {"Cookie: sid=short"},
       {{"because", "a session id has 16 to 256 characters of A-Z a-z 0-9 . _ ~ -"}},
       "401 no_session (session_malformed)"},
      {"GET /page",
       {"Cookie: sid=" + std::string(an_id)},
       {{"redis", "127.0.0.1:6379: not connected"}},
       "503 store_unavailable"},
      {"PUT /public/x",
       {"Cookie: sid=" + std::string(an_id), "Sec-Fetch-Site: cross-site"},
       {{"because", "another site made this request: Sec-Fetch-Site is cross-site"}},
       "403 csrf"},
      {"PUT /public/x",
       {"Cookie: sid=" + std::string(an_id), "Origin: http://evil.example"},
       {{"because", "another site made this request: Origin is http://evil.example, and this is app.example"}},
       "403 csrf"},
  }));
  CAPTURE(r.line, r.fields);
  auto const e = explained(r.line, r.fields);
  CAPTURE(text_of(e));
  for (auto const& s : r.steps)
    CHECK(told(e, s));
  CHECK(told(e, {"decision", r.decision}));
}

TEST_CASE("explain, what is wrong with a request") {
  struct row {
    std::string line;
    std::vector<std::string> fields;
    step found;
    std::string decision = "400 bad_request";
  };
  auto const r = GENERATE(values<row>({
      {"GET page", {}, {"request line", "GET page HTTP/1.1: the path begins with `/`, and `page` does not"}},
      {"G(T /",
       {},
       {"request line", "G(T / HTTP/1.1: a method (a word like GET, but not CONNECT), one blank, and a path"}},
      {"CONNECT /",
       {},
       {"request line", "CONNECT / HTTP/1.1: a method (a word like GET, but not CONNECT), one blank, and a path"}},
      {"GET /a b", {}, {"request line", "GET /a b HTTP/1.1: ` ` has to be percent-encoded"}},
      {"GET /a#b", {}, {"target", "/a#b: `#` and what follows it is for browsers, which do not send it"}},
      {"GET /a\\b", {}, {"target", "/a\\b: `\\` is a slash to some servers and not to others"}},
      {"GET /?\xC3\xBC", {}, {"target", "/?<c3><bc>: `<c3>` has to be percent-encoded"}},
      {"GET /%zz", {}, {"target", "/%zz: `%zz` is no escape: `%` and two hexadecimal digits"}},
      {"GET /a%4", {}, {"target", "/a%4: `%4` is no escape: `%` and two hexadecimal digits"}},
      {"GET /%0a", {}, {"target", "/%0a: `%0a` stands for a control character"}},
      {"GET /../a",
       {},
       {"target", "/../a: it has a `..` that leads above the root, or an ASCII character in an overlong UTF-8 form"}},
      {"GET /a",
       {"X-Fine: 1", "Host: b"},
       {"header", "Host: b: has to be one host name, with a port or without, and only once"}},
      {"GET /a",
       {"Content-Length: 1", "Content-Length: 1"},
       {"header", "Content-Length: 1: has to be one plain number, only once, and not beside Transfer-Encoding"}},
      {"GET /a",
       {"Content-Length: 1", "Transfer-Encoding: chunked"},
       {"header", "Transfer-Encoding: chunked: has to be `chunked` alone, only once, and not beside Content-Length"}},
      {"GET /a",
       {"a b: c"},
       {"header",
        "a b: c: has to be a name of letters, digits and a few signs, a colon, and a value without control "
        "characters"}},
      {"GET /a",
       {"Expect: tea"},
       {"header", "Expect: tea: has to be `100-continue` alone"},
       "417 bad_request (unsupported_expectation)"},
      {"GET /" + std::string(9000, 'a'),
       {},
       {"target", "more than 8192 bytes (server.limits.target_bytes)"},
       "414 target_too_long"},
      {"GET /a",
       std::vector<std::string>(100, "X-A: b"),
       {"head", "more than 100 header lines (server.limits.headers)"},
       "431 too_many_headers"},
  }));
  CAPTURE(r.line, r.fields);
  auto const e = explained(r.line, r.fields);
  CAPTURE(text_of(e));
  CHECK(e.steps == std::vector<step>{r.found, {"decision", r.decision}});
}

TEST_CASE("explain, a host that is none") {
  exchange_fixture b(yaml);
  running<explanation> r(explain(b.worker, "GET /a HTTP/1.1\r\nHost: u@h\r\n\r\n"));
  test::settle(b.worker.context);
  REQUIRE(r.ended);
  CHECK(told(*r.ended, {"host", "u@h: not a host name with a port or without"}));
}

TEST_CASE("explain, which condition of allow holds") {
  struct row {
    std::vector<step> session;
    std::string role, plan;
  };
  auto const r = GENERATE(values<row>({
      {{{"role", "user"}, {"plan", "pro"}},
       "role must be one of admin, ops: it is user, which does not hold",
       "plan must be pro: it is pro, which holds"},
      {{{"role", "user,ops"}, {"plan", "free"}},
       "role must be one of admin, ops: it is user,ops, which holds",
       "plan must be pro: it is free, which does not hold"},
      {{{"userId", "1"}},
       "role must be one of admin, ops: the session does not have it, which does not hold",
       "plan must be pro: the session does not have it, which does not hold"},
      {{{"plan", "\x1b[2Jpro\xC2\x9B"}},
       "role must be one of admin, ops: the session does not have it, which does not hold",
       "plan must be pro: it is <1b>[2Jpro\xC2<9b>, which does not hold"},
  }));
  exchange_fixture b(yaml);
  REQUIRE(outcome(b.matched("GET /staff HTTP/1.1\r\nHost: h\r\n\r\n")) == "ok");
  b.log_in(r.session);
  explanation e;
  explain_refusal(b.x, errc::forbidden, e);
  CHECK(e.steps == std::vector<step>{{"allow", r.role}, {"allow", r.plan}});
}

TEST_CASE("explain, which header cannot be made of the session") {
  struct row {
    std::vector<step> session;
    std::string because;
  };
  auto const r = GENERATE(values<row>({
      {{{"userId", "1"}}, "header X-Tenant needs {tenant}, a field that the session does not have"},
      {{{"userId", "1\r\nX-Admin: 1"}, {"tenant", "t"}},
       "header X-User-Id takes {userId}, which holds a line end or a NUL at byte 1"},
      {{{"userId", "1"}, {"tenant", "t"}, {"plan", std::string("a\0b", 3)}},
       "header X-Plan takes {plan}, which holds a line end or a NUL at byte 1"},
  }));
  exchange_fixture b(yaml);
  REQUIRE(outcome(b.matched("GET /page HTTP/1.1\r\nHost: h\r\n\r\n")) == "ok");
  b.log_in(r.session);
  REQUIRE(outcome(transform(b.x)) == "bad_identity");
  explanation e;
  explain_refusal(b.x, errc::bad_identity, e);
  CHECK(e.steps == std::vector<step>{{"because", r.because}});
}

TEST_CASE("explain, headers removed and added, and those that stay are neither") {
  auto const e = explained("GET /public/x", {"X-User-Id: forged", "Accept: */*", "Connection: close"});
  CAPTURE(text_of(e));
  CHECK(told(e, {"header removed", "X-User-Id"}));
  CHECK(told(e, {"header removed", "Connection"}));
  CHECK(told(e, {"header added", "X-Forwarded-Proto: http"}));
  for (auto const& [what, found] : e.steps) {
    CHECK_FALSE(found.starts_with("Host"));
    CHECK_FALSE(found.starts_with("Accept"));
  }
}
