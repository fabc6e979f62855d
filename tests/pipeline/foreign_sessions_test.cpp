#include "doorward/http/encoded_ids.hpp"
#include "redis_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

// Sessions that other programs wrote, on their way through the stages.

namespace {

std::string const express_yaml = R"(session: { encoding: json, cookie: { codec: express, keys: [cat, older] } }
routes:
  - { path: /optional/**, upstream: app, auth: optional }
  - { path: /**, upstream: app }
)";
std::string const base64_yaml = R"(session: { encoding: spring, cookie: { codec: base64 } }
routes: [{ path: /**, upstream: app }]
)";
std::string const external =
    "redis: { url: \"redis://127.0.0.1:6379\" }\nidentity: { upstream: app, mode: external }\n"
    "upstreams: { app: \"http://127.0.0.1:3000\" }\n";

std::string const two_upstreams = [] {
  std::string yaml = external;
  return yaml.replace(yaml.find("upstreams: {"), 12, "upstreams: { reports: \"http://127.0.0.1:3001\",");
}();

std::string express(std::string_view id, std::string const& secret = "cat") {
  std::vector<redacted> const one{redacted{secret}};
  return http::encoded_ids(http::encoded_ids::codec::express, one).encode(id);
}
std::string in_base64(std::string_view id) {
  return http::encoded_ids(http::encoded_ids::codec::base64, {}).encode(id);
}
std::string forged() {
  auto value = express(an_id);
  value.back() = value.back() == 'A' ? 'E' : 'A';
  return value;
}

std::string refused(exchange_fixture& b, std::string const& path, std::vector<std::string> const& values) {
  std::string field = "Cookie: a=b";
  for (auto const& v : values)
    field += "; sid=" + v;
  std::vector<std::string> fields{"Host: h"};
  if (!values.empty()) fields.push_back(field);
  REQUIRE(outcome(b.matched(head_of("GET " + path + " HTTP/1.1", fields))) == "ok");
  running<result<void>> done(authenticate(b.x));
  test::settle(b.worker.context);
  REQUIRE(done.ended);
  return outcome(*done.ended);
}

}  // namespace

// These workers are not connected to Redis: a command that is wanted shows as "store_unavailable".
TEST_CASE("cookie of express-session, by what is in it") {
  struct row {
    std::vector<std::string> values;
    std::string outcome;
  };
  auto const [values_, expected] = GENERATE(values<row>({
      {{}, "no_session"},
      {{express(an_id)}, "store_unavailable"},
      {{express(an_id, "older")}, "store_unavailable"},
      {{express(an_id, "dog")}, "session_forged"},
      {{forged()}, "session_forged"},
      {{std::string(an_id)}, "session_forged"},
      {{"s%3A" + std::string(an_id)}, "session_malformed"},
      {{"x"}, "session_malformed"},
      {{forged(), "x", express(an_id)}, "store_unavailable"},
  }));
  exchange_fixture b(express_yaml, external);
  CHECK(refused(b, "/a", values_) == expected);
  CHECK_FALSE(b.x.expire_cookie);
  CHECK(refused(b, "/optional/a", values_) == (expected == "store_unavailable" ? expected : "ok"));
}

TEST_CASE("cookie of express-session: more values than are looked at") {
  exchange_fixture b(express_yaml, external);
  std::vector<std::string> five;
  for (char c = 'a'; c < 'f'; ++c)
    five.push_back(express(std::string(20, c)));
  CHECK(refused(b, "/a", five) == "session_conflict");
}

TEST_CASE("cookie of Spring Session, by what is in it") {
  exchange_fixture b(base64_yaml, external);
  CHECK(refused(b, "/a", {in_base64("0d3b2a5c-9a7e-4b8d-8f0e-6a1c2d3e4f50")}) == "store_unavailable");
  REQUIRE(b.x.cookies.count == 1);
  CHECK(b.x.cookies.ids[0] == "0d3b2a5c-9a7e-4b8d-8f0e-6a1c2d3e4f50");
  CHECK(refused(b, "/a", {"0d3b2a5c-9a7e-4b8d-8f0e-6a1c2d3e4f50"}) == "session_malformed");
  CHECK(refused(b, "/a", {in_base64("short")}) == "session_malformed");
}

TEST_CASE("of several values of a shared cookie nobody chooses") {
  std::string const shared = "session: { cookie: { shared: true } }\n";
  std::string const routes =
      "routes: [{ path: /optional/**, auth: optional, upstream: app }, { path: /**, upstream: app }]\n";
  std::string const id(an_id), other(20, 'b');
  exchange_fixture b(shared + routes, external);
  CHECK(refused(b, "/a", {id}) == "store_unavailable");
  CHECK(refused(b, "/a", {id, id}) == "store_unavailable");
  CHECK(refused(b, "/a", {id, other}) == "session_conflict");
  CHECK(refused(b, "/a", {"%6dallory", id}) == "session_conflict");
  CHECK(refused(b, "/optional/a", {"%6dallory", id}) == "ok");
  CHECK_FALSE(b.x.authenticated());
  exchange_fixture own(routes, external);
  CHECK(refused(own, "/a", {"%6dallory", id}) == "store_unavailable");
}

TEST_CASE("a shared cookie goes to the application that logs people in, and to nobody else") {
  for (bool const shared : {true, false}) {
    exchange_fixture b("session: { cookie: { shared: " + std::string(shared ? "true" : "false") +
                           " } }\nroutes: [{ path: /b, upstream: reports, auth: none }, "
                           "{ path: /**, upstream: app, auth: none }]\n",
                       two_upstreams);
    for (auto const* path : {"/a", "/b", "/login"}) {
      REQUIRE(outcome(b.matched(
                  head_of("GET " + std::string(path) + " HTTP/1.1", {"Host: h", "Cookie: a=1; sid=x;b=2"}))) == "ok");
      REQUIRE(outcome(transform(b.x)) == "ok");
      bool const whole = b.x.upstream_head.find("Cookie: a=1; sid=x;b=2\r\n") != std::string::npos;
      CHECK(whole == ((shared && path != std::string_view("/b")) || path == std::string_view("/login")));
      CHECK(is_upstreams_cookie(b.x) == whole);
    }
  }
}

namespace {

/// What a request with a session is answered whose record Redis gives like this.
struct answered {
  unsigned status = 0;
  std::string reason, out;
  session::likeness looks{};

  explicit answered(std::string const& reply, std::string const& shared = "false") {
    auto const session = "session: { encoding: json, cookie: { shared: " + shared + " } }\n";
    std::vector<std::string> asked;
    with_redis t("{ path: /**, upstream: app }", session, "{ upstream: app, mode: external }");
    t.redis.answer = [&](auto& c, auto const& argv) {
      asked = argv;
      c.send(reply);
    };
    t.request("GET /a HTTP/1.1\r\nHost: h\r\nCookie: sid=" + std::string(an_id) + "\r\n\r\n");
    t.finish();
    CHECK(asked == std::vector<std::string>{"GET", "session:" + std::string(an_id)});
    status = t.b.x.status;
    reason = t.b.x.refused ? std::string(about(*t.b.x.refused).reason) : "";
    looks = t.b.x.looks_like;
    out = t.b.x.set_cookie;
  }
};

}  // namespace

TEST_CASE("a record that is gone takes its cookie along, and one that cannot be read does not") {
  struct row {
    std::string reply, reason;
    session::likeness looks;
    bool goes;
  };
  auto const [reply, reason, looks, goes] = GENERATE(values<row>({
      {bulk("userId|i:42;"), "session_undecodable", session::likeness::php, false},
      {bulk("{\"userId\":[]}"), "session_undecodable", session::likeness::json, false},
      {"-WRONGTYPE x\r\n", "session_wrong_type", session::likeness::nothing, false},
      {"-Existing key has wrong Redis type\r\n", "session_wrong_type", session::likeness::nothing, false},
      {"-ERR Existing key has wrong Redis type\r\n", "session_wrong_type", session::likeness::nothing, false},
      {"$-1\r\n", "session_unknown", session::likeness::nothing, true},
      {bulk("{}"), "session_ghost", session::likeness::nothing, true},
  }));
  CAPTURE(reply);
  answered const a(reply);
  CHECK(a.status == 401);
  CHECK(a.reason == reason);
  CHECK(a.looks == looks);
  CHECK(a.out.starts_with("sid=; Max-Age=0") == goes);
  answered const shared(reply, "true");
  CHECK(shared.status == 401);
  CHECK(shared.out.empty());
}
