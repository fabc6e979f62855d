#include "exchange_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

// What is decided without a word of Redis, which these workers are not connected to. With it: integration.

namespace {

std::string const routes = R"(
routes:
  - { path: /none/**, upstream: app, auth: none }
  - { path: /optional/**, upstream: app, auth: optional }
  - { path: /passive/**, upstream: app, auth: passive }
  - { path: /**, upstream: app }
)";
std::string const good_cookie = "Cookie: sid=" + std::string(an_id);
std::string const bad_cookie = "Cookie: sid=x";

std::vector<std::string> const five_cookies{
    "Cookie: sid=" + std::string(20, 'a'), "Cookie: sid=" + std::string(20, 'b'), "Cookie: sid=" + std::string(20, 'c'),
    "Cookie: sid=" + std::string(20, 'd') + "; sid=" + std::string(20, 'e')};

}  // namespace

TEST_CASE("session, by route and cookie") {
  struct row {
    std::string path;
    std::vector<std::string> cookies;
    std::string outcome;
    bool asked;
  };
  auto const [path, cookies, expected, asked] = GENERATE_REF(values<row>({
      {"/a", {}, "no_session", false},
      {"/a", {"Cookie: other=1"}, "no_session", false},
      {"/a", {bad_cookie}, "session_malformed", false},
      {"/a", {good_cookie}, "store_unavailable", true},
      {"/a", {good_cookie, bad_cookie}, "store_unavailable", true},
      {"/a", {good_cookie, "Cookie: sid=ABCDEFGHIJKLMNOPQRST"}, "store_unavailable", true},
      {"/a", five_cookies, "session_conflict", false},
      {"/optional/a", five_cookies, "ok", false},
      {"/passive/a", {}, "no_session", false},
      {"/passive/a", {bad_cookie}, "session_malformed", false},
      {"/passive/a", {good_cookie}, "store_unavailable", true},
      {"/optional/a", {}, "ok", false},
      {"/optional/a", {bad_cookie}, "ok", false},
      {"/optional/a", {good_cookie}, "store_unavailable", true},  // who knows who that would be
      {"/none/a", {}, "ok", false},
      {"/none/a", {bad_cookie}, "ok", false},
      {"/none/a", {good_cookie}, "ok", false},  // an outage does not concern this route
      {"/login", {good_cookie}, "ok", false},
      {"/logout", {good_cookie}, "ok", false},
      {"/.doorward/whoami", {}, "no_session", false},
      {"/.doorward/whoami", {good_cookie}, "store_unavailable", true},
  }));
  CAPTURE(path, cookies);
  exchange_fixture b(routes);
  auto fields = cookies;
  fields.emplace_back("Host: h");
  REQUIRE(outcome(b.matched(head_of("GET " + path + " HTTP/1.1", fields))) == "ok");
  running<result<void>> done(authenticate(b.x));
  test::settle(b.worker.context);
  REQUIRE(done.ended.has_value());
  CHECK(outcome(*done.ended) == expected);
  CHECK_FALSE(b.x.authenticated());
  // "Cannot tell" and "nobody asked" change nothing on the client.
  CHECK_FALSE(b.x.expire_cookie);
  auto const& m = b.worker.metrics;
  CHECK((m.lookups(obs::lookup_result::error) > 0) == asked);
  CHECK((m.lookups(obs::lookup_result::malformed) > 0) == (cookies == std::vector{bad_cookie} && path != "/none/a"));
}
