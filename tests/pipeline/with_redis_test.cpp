#include "redis_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

// What a request does with Redis's answers is counted and timed: a client, doorward, an identity service and a Redis
// that says what the test wants.

namespace {

std::string const grant = "HTTP/1.1 204 No Content\r\nDoorward-Grant: {\"userId\":\"42\"}\r\n\r\n";

}  // namespace

TEST_CASE("session past its absolute limit: counted as ended") {
  with_redis t;
  t.redis.answer = [](auto& c, auto const&) { c.send(hash({"userId", "42", "createdAt", "1000000000000"})); };
  t.request("GET /a HTTP/1.1\r\nHost: h\r\nCookie: sid=" + std::string(an_id) + "\r\n\r\n");
  t.finish();
  CHECK(t.b.x.status == 401);
  CHECK(t.ended(obs::end_reason::expired) == 1);
}

TEST_CASE("login with sessions presented: those that were there are counted as replaced") {
  struct row {
    std::string cookies;
    std::string create;  ///< what the script says; its second number: how many it replaced
    std::uint64_t replaced;
  };
  auto const one = "sid=" + std::string(an_id);
  auto const two = one + "; sid=ABCDEFGHIJKLMNOPQRST";
  auto const [cookies, create, replaced] = GENERATE_REF(values<row>({
      {"other=1", created(0), 0},
      {one, created(0), 0},
      {one, created(1), 1},
      {two, created(2), 2},
  }));
  CAPTURE(cookies, create);
  with_redis t;
  std::string keys;
  t.redis.answer = [&](auto& c, fake_redis::command const& argv) {
    keys = argv.at(2);
    c.send(create);
  };
  t.request("POST /login HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nCookie: " + cookies + "\r\n\r\n");
  t.answer(grant);
  t.finish();
  CHECK(t.b.x.status == 204);
  CHECK(t.b.worker.metrics.sessions_created() == 1);
  CHECK(t.ended(obs::end_reason::replaced) == replaced);
  CHECK(keys == std::to_string(3 + std::count(cookies.begin(), cookies.end(), '=') - (cookies == "other=1")));
}

TEST_CASE("login: what the store takes is not the upstream's time too") {
  with_redis t;
  std::shared_ptr<fake_redis::connection> asked;
  t.redis.answer = [&](auto& c, auto const&) { asked = c.shared_from_this(); };
  auto const began = steady::now();
  t.request("POST /login HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  t.answer(grant);
  REQUIRE(test::run_until(t.b.worker.context, [&] { return asked != nullptr; }));
  test::run_for(t.b.worker.context, 20ms);
  asked->send(created(0));
  t.finish();
  CHECK(t.b.x.status == 204);
  CHECK(t.b.x.store_time >= 20ms);
  CHECK(t.b.x.store_time + t.b.x.upstream_time <= steady::now() - began);
}
