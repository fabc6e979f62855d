#include "doorward/pipeline/explain.hpp"
#include "exchange_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

// What is decided of a signed cookie without a word of Redis, which these workers are not connected to: a command that
// is wanted shows as "store_unavailable".

namespace {

std::string const new_key = "0123456789abcdef0123456789abcdef";
std::string const old_key = "fedcba9876543210fedcba9876543210";
std::string const yaml = "session: { cookie: { keys: [" + new_key + ", " + old_key + R"(] } }
routes:
  - { path: /none/**, upstream: app, auth: none }
  - { path: /optional/**, upstream: app, auth: optional }
  - { path: /**, upstream: app }
)";

std::string signed_by(std::string const& key, std::string_view id = an_id) {
  std::vector<redacted> const one{redacted{key}};
  return http::signed_ids("sid", one).sign(id);
}
std::string cookie(std::vector<std::string> const& values) {
  std::string field = "Cookie: a=b";
  for (auto const& v : values)
    field += "; sid=" + v;
  return field;
}
std::string forged() {
  auto value = signed_by(new_key);
  value[0] ^= 1;
  return value;
}

}  // namespace

TEST_CASE("signed session, by route and cookie") {
  struct row {
    std::string path;
    std::vector<std::string> values;
    std::string outcome;
  };
  std::vector<std::string> five;
  for (char c = 'a'; c < 'f'; ++c)
    five.push_back(signed_by(new_key, std::string(20, c)));
  auto const good = signed_by(new_key), by_old = signed_by(old_key),
             by_nobody = signed_by("a key that is not among them, at all");
  auto const [path, values_, expected] = GENERATE_REF(values<row>({
      {"/a", {}, "no_session"},
      {"/a", {good}, "store_unavailable"},
      {"/a", {by_old}, "store_unavailable"},
      {"/a", {'"' + by_old + '"'}, "store_unavailable"},
      {"/a", {std::string(an_id)}, "session_forged"},
      {"/a", {forged()}, "session_forged"},
      {"/a", {by_nobody}, "session_forged"},
      {"/a", {"x"}, "session_malformed"},
      {"/a", {"x", forged(), "x"}, "session_forged"},
      {"/a", {forged(), good, std::string(an_id)}, "store_unavailable"},
      {"/a", five, "session_conflict"},
      {"/optional/a", {forged()}, "ok"},
      {"/optional/a", {good}, "store_unavailable"},
      {"/none/a", {forged()}, "ok"},
      {"/.doorward/whoami", {forged()}, "session_forged"},
      {"/.doorward/sessions", {forged()}, "session_forged"},
  }));
  CAPTURE(path, values_);
  exchange_fixture b(yaml);
  REQUIRE(outcome(b.matched(head_of("GET " + path + " HTTP/1.1", {"Host: h", cookie(values_)}))) == "ok");
  running<result<void>> done(authenticate(b.x));
  test::settle(b.worker.context);
  REQUIRE(done.ended.has_value());
  CHECK(outcome(*done.ended) == expected);
  CHECK_FALSE(b.x.authenticated());
  CHECK_FALSE(b.x.expire_cookie);
  auto const& m = b.worker.metrics;
  CHECK((m.lookups(obs::lookup_result::error) > 0) == (expected == "store_unavailable"));
  bool const refused_here = b.x.cookies.present && b.x.cookies.count == 0 && path != "/none/a";
  CHECK(m.lookups(obs::lookup_result::malformed) == (refused_here ? 1 : 0));
}

TEST_CASE("signed session: from here on there are ids alone") {
  exchange_fixture b(yaml);
  auto const other = std::string(20, 'x');
  auto const fields = std::vector<std::string>{"Host: h", cookie({signed_by(old_key), forged()}),
                                               cookie({signed_by(new_key), signed_by(new_key, other)})};
  REQUIRE(outcome(b.sanitized(head_of("GET /none/a HTTP/1.1", fields))) == "ok");
  REQUIRE(b.x.cookies.count == 2);
  CHECK(b.x.cookies.ids[0] == an_id);
  CHECK(b.x.cookies.ids[1] == other);
  CHECK(b.x.cookie_fields.size() == 2);
  REQUIRE(outcome(match(b.x)) == "ok");
  REQUIRE(outcome(transform(b.x)) == "ok");
  CHECK(b.x.upstream_head.find("sid=") == std::string::npos);
  CHECK(b.x.upstream_head.find("Cookie: a=b\r\n") != std::string::npos);
}

TEST_CASE("a forged cookie is still our cookie to the cross-site guard") {
  exchange_fixture b(yaml);
  auto const fields = std::vector<std::string>{"Host: h", "Sec-Fetch-Site: cross-site", cookie({forged()})};
  REQUIRE(outcome(b.matched(head_of("POST /optional/a HTTP/1.1", fields))) == "ok");
  CHECK(outcome(authorize(b.x)) == "csrf");
}

TEST_CASE("explain, why a signature is not good") {
  struct row {
    std::string value, because;
  };
  auto const r = GENERATE(values<row>({
      {std::string(an_id),
       "it has no signature, and session.cookie.keys wants one; the cookie holds more than the id then"},
      {signed_by("a key that is not among them, at all"),
       "it was signed with a key that is not among session.cookie.keys; theirs have the kids a2haT0, "},
      {forged(), "its signature is not that of the key it names"},
  }));
  exchange_fixture b(yaml);
  running<explanation> e(explain(b.worker, head_of("GET /a HTTP/1.1", {"Host: h", cookie({r.value})})));
  test::settle(b.worker.context);
  REQUIRE(e.ended);
  auto const& steps = e.ended->steps;
  auto const said = [&](std::string_view what, std::string_view start) {
    return std::ranges::any_of(steps, [&](auto const& s) { return s.first == what && s.second.starts_with(start); });
  };
  CHECK(said("cookie", "sid: no value of it has a good signature"));
  CHECK(said("because", r.because));
  CHECK(said("decision", "401 no_session (session_forged)"));
  CHECK_FALSE(said("key", ""));
}
