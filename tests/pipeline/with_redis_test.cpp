#include "../redis/fake_redis.hpp"
#include "doorward/pipeline/process.hpp"
#include "exchange_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

// What a request does with Redis's answers is counted and timed: a client, doorward, an identity service and a Redis
// that says what the test wants.

namespace {

using test::fake_redis;

std::string bulk(std::string const& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}
std::string hash(std::vector<std::string> const& fields_and_values) {
  auto reply = "*" + std::to_string(fields_and_values.size()) + "\r\n";
  for (auto const& s : fields_and_values)
    reply += bulk(s);
  return reply;
}

/// What the script that makes a session says.
std::string created(int replaced) {
  return hash({"1", std::to_string(replaced), "0", "0"});
}

struct with_redis {
  test::temporary_folder folder;
  test::descriptor listener = test::unix_listener(folder.file("app"));
  exchange_fixture b{"routes: [{ path: /public/**, upstream: app, auth: optional }, { path: /**, upstream: app }]\n",
                     "redis: { url: \"unix://" + folder.file("redis") +
                         "\" }\nidentity: { upstream: app }\nupstreams: { app: { "
                         "endpoints: [\"unix:" +
                         folder.file("app") + "\"] } }\n"};
  fake_redis redis{b.worker.context, folder.file("redis")};
  test::descriptor upstream;
  bool done = false;

  with_redis() {
    obs::log::init(obs::log::level::off, obs::log::format::json);
    b.worker.redis.start();
    REQUIRE(test::run_until(b.worker.context, [&] { return b.worker.redis.connected(); }));
  }
  ~with_redis() {
    b.connection.stream.shutdown();
    b.worker.cluster(0).cut();
    b.watch.interrupt();
    b.worker.redis.close();
    redis.stop();
    b.pass(100ms);
  }
  with_redis(with_redis const&) = delete;
  with_redis& operator=(with_redis const&) = delete;

  void request(std::string_view bytes) {
    b.begin(bytes);
    net::spawn([](with_redis& t) -> net::task<> {
      co_await process(t.b.x);
      t.done = true;
    }(*this));
    test::settle(b.worker.context);
  }
  /// The upstream gets the request, and says this.
  void answer(std::string_view bytes) {
    REQUIRE(test::run_until(b.worker.context, [&] {
      if (auto c = test::accept(listener)) upstream = std::move(c);
      return static_cast<bool>(upstream);
    }));
    REQUIRE(upstream.write(bytes));
  }
  void finish() {
    REQUIRE(test::run_until(b.worker.context, [&] { return done; }));
  }
  std::uint64_t ended(obs::end_reason r) const { return b.worker.metrics.sessions_ended(r); }
};

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
