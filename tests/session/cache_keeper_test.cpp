#include "doorward/session/cache_keeper.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "../redis/feeding_redis.hpp"
#include "doorward/base/errc.hpp"
#include "doorward/obs/log.hpp"
#include "doorward/session/redis_store.hpp"

using namespace doorward;
using namespace doorward::test;
using namespace std::chrono_literals;
using session::answered_by;
using session::outcome;

namespace {

struct looked {
  bool done = false;
  outcome what{};
  error_code why;
  answered_by from{};
  std::string user;
};

using commands = std::vector<fake_redis::command>;
fake_redis::command const consent{"CLIENT", "CACHING", "YES"};
fake_redis::command const question{"HGETALL", "session:a"};

struct kept {
  temporary_folder folder;
  asio::io_context context{1};
  net::turn_queue turns{context};
  fast_random random{7};
  mock_clock clock;
  fake_redis server{context, folder.file("redis.sock")};
  feeding redis{server};
  config::redis_config redis_config;
  config::session_config config;
  session::field_layout layout{config.fields};
  std::shared_ptr<session::near_cache> near = std::make_shared<session::near_cache>(100, 5s, config.lifetime);
  std::optional<redis::client> client;
  std::optional<session::redis_store> store;
  std::optional<session::cache_keeper> keeper;

  kept() {
    redis_config.server.type = config::endpoint::kind::unix_socket;
    redis_config.server.path = server.path();
    redis_config.command_timeout = milliseconds{5000};
  }
  ~kept() {
    keeper->stop();
    client->close();
    settle(context);
    keeper.reset();
    store.reset();
    client.reset();
  }
  void start() {
    client.emplace(turns, redis_config, random);
    store.emplace(*client, config, near);
    keeper.emplace(turns, clock.wheel, *client, *near, redis_config, random, 0);
    keeper->start();
    client->start();
    REQUIRE(run_until(context, [&] { return client->connected(); }));
    settle(context);
  }
  void arm() {
    start();
    REQUIRE(near->armed());
    server.seen.clear();
  }
  net::task<> look(std::string id, looked& into, bool fresh) {
    session::record r{layout};
    auto l = fresh ? store->find_fresh(id, r) : store->find(id, r);
    into.what = co_await l;
    into.why = l.why();
    into.from = l.from();
    into.user = r.user();
    into.done = true;
  }
  looked find(std::string id = "a", bool fresh = false) {
    looked f;
    net::spawn(look(std::move(id), f, fresh));
    REQUIRE(run_until(context, [&] { return f.done; }));
    return f;
  }
  answered_by from(std::string id = "a") { return find(std::move(id)).from; }
  /// A session has a copy from its second look-up on.
  void copy() {
    (void)find();
    (void)find();
    REQUIRE(near->size() == 1);
  }
};

}  // namespace

TEST_CASE_METHOD(kept, "armed when both connections are there, one server's, and Redis tracks") {
  start();
  CHECK(near->armed());
  std::vector<fake_redis::command> last(server.seen.end() - 3, server.seen.end());
  REQUIRE(last[0].size() == 3);
  CHECK(last[0][0] == "PUBSUB");
  CHECK(last[0][1] == "CHANNELS");
  CHECK(last[0][2].starts_with("doorward:feed:"));
  CHECK(last[1] == fake_redis::command{"CLIENT", "TRACKING", "ON", "REDIRECT", "7", "OPTIN"});
  CHECK(last[2] == consent);
}

TEST_CASE_METHOD(kept, "the second look-up is tracked, and a third is answered by the copy, at once") {
  arm();
  CHECK(from() == answered_by::redis);
  CHECK(from() == answered_by::redis);
  looked third;
  net::spawn(look("a", third, false));
  CHECK(third.done);
  CHECK(third.what == outcome::found);
  CHECK(third.from == answered_by::cache);
  CHECK(third.user == "42");
  CHECK(server.seen == commands{question, consent, question});
}

TEST_CASE_METHOD(kept, "Redis is not made to track what nobody has") {
  arm();
  redis.record = "*0\r\n";
  for (int i = 0; i < 3; ++i)
    CHECK(find().what == outcome::absent);
  CHECK(server.seen == commands{question, question, question});
}

TEST_CASE_METHOD(kept, "what has ended is tracked once more, and then not") {
  arm();
  copy();
  redis.invalidate("session:a");
  redis.record = "*0\r\n";
  server.seen.clear();
  for (int i = 0; i < 3; ++i)
    CHECK(find().what == outcome::absent);
  CHECK(server.seen == commands{consent, question, question, question});
}

TEST_CASE_METHOD(kept, "consent that is refused: no copy, the answer is used, and it is tried again from the start") {
  arm();
  (void)find();
  redis.consent = "-NOPERM no\r\n";
  auto const f = find();
  CHECK(f.what == outcome::found);
  CHECK(f.user == "42");
  CHECK(near->size() == 0);
  CHECK_FALSE(near->armed());
  CHECK_FALSE(client->trouble());
  server.seen.clear();
  CHECK(from() == answered_by::redis);
  CHECK(server.seen == commands{question});
  clock.pass(context, 1200ms);
  CHECK(redis.tracked == 2);
  CHECK_FALSE(near->armed());
  redis.consent = "+OK\r\n";
  clock.pass(context, 10'200ms);
  CHECK(near->armed());
}

TEST_CASE_METHOD(kept, "only what was found is kept") {
  arm();
  auto const good = redis.record;
  std::string id;
  for (auto const* reply :
       {"*0\r\n", "*2\r\n$4\r\nrole\r\n$1\r\nx\r\n", "-WRONGTYPE no\r\n", "-LOADING no\r\n", ":1\r\n"}) {
    id += 'a';
    redis.record = good;
    (void)find(id);
    redis.record = reply;
    (void)find(id);
    CHECK(near->size() == 0);
  }
  CHECK(redis.consents == 1 + 5);
}

TEST_CASE_METHOD(kept, "whoever wants it from Redis gets it from there, and leaves a new copy") {
  arm();
  copy();
  redis.record = "*2\r\n$6\r\nuserId\r\n$2\r\n43\r\n";
  auto const fresh = find("a", true);
  CHECK(fresh.from == answered_by::redis);
  CHECK(fresh.user == "43");
  auto const next = find();
  CHECK(next.from == answered_by::cache);
  CHECK(next.user == "43");
}

TEST_CASE_METHOD(kept, "a change is heard before the next hit, though nobody has read it yet") {
  arm();
  copy();
  redis.invalidate("session:a");
  CHECK(from() == answered_by::redis);
  CHECK(keeper->invalidations() == 1);
}

TEST_CASE_METHOD(kept, "a change between question and answer: the answer is used, and not kept") {
  arm();
  (void)find();
  redis.holds = true;
  looked f;
  net::spawn(look("a", f, false));
  settle(context);
  REQUIRE(redis.asked == 2);
  REQUIRE(redis.consents == 2);
  redis.invalidate("session:a");
  settle(context);
  for (auto const& c : server.connections)
    if (!redis.is_feed(*c)) c->send(redis.record);
  REQUIRE(run_until(context, [&] { return f.done; }));
  CHECK(f.what == outcome::found);
  CHECK(near->size() == 0);
}

TEST_CASE_METHOD(kept, "the feed cut, the worker's connection cut, everything flushed: nothing is left of it") {
  arm();
  copy();
  SECTION("feed") {
    redis.feed->cut();
    CHECK(from() == answered_by::redis);
    CHECK_FALSE(near->armed());
  }
  SECTION("connection") {
    for (auto const& c : server.connections)
      if (!redis.is_feed(*c)) c->cut();
    settle(context);
    CHECK_FALSE(near->armed());
  }
  SECTION("flushed") {
    redis.say("$-1\r\n");
    CHECK(from() == answered_by::redis);
    CHECK(near->armed());
  }
  CHECK(near->size() <= 1);
  REQUIRE(run_until(context, [&] { return near->armed(); }));
  (void)find();
  CHECK(from() == answered_by::cache);
}

TEST_CASE_METHOD(kept, "a server that will not track: off, no trouble, and tried again later") {
  redis.tracking = GENERATE(as<std::string>{}, "-NOPERM no\r\n", "-ERR Unknown subcommand\r\n");
  start();
  CHECK_FALSE(near->armed());
  CHECK(redis.tracked == 1);
  CHECK_FALSE(client->trouble());
  CHECK(from() == answered_by::redis);
  CHECK(from() == answered_by::redis);
  redis.tracking = "+OK\r\n";
  clock.pass(context, 9s);
  CHECK(redis.tracked == 1);
  clock.pass(context, 1200ms);
  CHECK(redis.tracked == 2);
  CHECK(near->armed());
}

TEST_CASE_METHOD(kept, "a refusal is told once, with what can be done about it") {
  struct row {
    std::string tracking;
    bool is_elsewhere;
    std::string_view reason, hint;
  };
  auto const r = GENERATE(
      row{"-NOPERM no\r\n", false, "refused", "docs/redis.md"},
      row{"-ERR Unknown subcommand or wrong number of arguments for 'TRACKING'\r\n", false, "refused", "Redis 6"},
      row{"-ERR unknown command `CLIENT`\r\n", false, "refused", "Redis 6"},
      row{"-ERR syntax error\r\n", false, "refused", "Redis 6"},
      row{"-ERR The client ID you want redirect to does not exist\r\n", false, "refused", R"("hint":"")"},
      row{"+OK\r\n", true, "other_server", "the same Redis server"});
  redis.tracking = r.tracking;
  redis.is_elsewhere = r.is_elsewhere;
  auto* const file = std::tmpfile();
  obs::log::init(obs::log::level::warn, obs::log::format::json, file);
  start();
  obs::log::init(obs::log::level::info, obs::log::format::automatic);
  std::rewind(file);
  std::string told;
  for (int c = 0; (c = std::fgetc(file)) != EOF;)
    told += static_cast<char>(c);
  std::fclose(file);
  CHECK(std::count(told.begin(), told.end(), '\n') == 1);
  CHECK(told.find(R"("reason":")" + std::string(r.reason) + '"') != std::string::npos);
  CHECK(told.find(r.hint) != std::string::npos);
}

TEST_CASE_METHOD(kept, "a feed on another server: nobody else's client is told of our keys") {
  redis.is_elsewhere = true;
  start();
  CHECK(redis.looked == 1);
  CHECK(redis.tracked == 0);
  CHECK_FALSE(near->armed());
}

TEST_CASE_METHOD(kept, "look-ups of one session that have not left are one") {
  arm();
  looked all[4], other;
  for (auto& one : all)
    net::spawn(look("a", one, &one == &all[2]));
  net::spawn(look("b", other, false));
  REQUIRE(run_until(context, [&] { return other.done && all[3].done; }));
  CHECK(redis.asked == 2);
  CHECK(all[0].from == answered_by::redis);
  CHECK(other.from == answered_by::redis);
  for (auto const* joined : {&all[1], &all[2], &all[3]}) {
    CHECK(joined->from == answered_by::batch);
    CHECK(joined->what == outcome::found);
    CHECK(joined->user == "42");
  }
}

TEST_CASE_METHOD(kept, "one that has left is not joined: it may have been read before what its client knows of") {
  arm();
  redis.holds = true;
  looked first, second;
  net::spawn(look("a", first, false));
  settle(context);
  REQUIRE(redis.asked == 1);
  net::spawn(look("a", second, false));
  settle(context);
  CHECK(redis.asked == 2);
  for (auto const& c : server.connections)
    if (!redis.is_feed(*c)) c->send(redis.record + redis.record);
  REQUIRE(run_until(context, [&] { return first.done && second.done; }));
  CHECK(second.from == answered_by::redis);
}

TEST_CASE_METHOD(kept, "what joins has the same fate: absent, an error, no connection") {
  arm();
  looked all[3];
  auto const ask = [&] {
    for (auto& one : all)
      net::spawn(look("a", one = looked{}, false));
  };
  auto const done = [&] { return all[0].done && all[1].done && all[2].done; };
  redis.record = "*0\r\n";
  ask();
  REQUIRE(run_until(context, done));
  for (auto const& one : all)
    CHECK(one.what == outcome::absent);
  redis.record = "-LOADING no\r\n";
  ask();
  REQUIRE(run_until(context, done));
  for (auto const& one : all) {
    CHECK(one.what == outcome::unavailable);
    CHECK(one.why == errc::store_error);
  }
  ask();
  client->close();
  looked late;
  net::spawn(look("a", late, false));
  CHECK(late.done);
  CHECK(late.why == errc::store_unavailable);
  settle(context);
  REQUIRE(done());
  for (auto const& one : all)
    CHECK(one.why == errc::store_unavailable);
}

TEST_CASE_METHOD(kept, "without Redis's tracking look-ups still share what has not left") {
  redis.tracking = "-ERR no\r\n";
  start();
  looked one, two;
  net::spawn(look("a", one, false));
  net::spawn(look("a", two, false));
  REQUIRE(run_until(context, [&] { return one.done && two.done; }));
  CHECK(redis.asked == 1);
  CHECK(two.from == answered_by::batch);
}

TEST_CASE_METHOD(kept, "a session that is ended here is forgotten here, whatever Redis answers") {
  arm();
  copy();
  bool done = false;
  auto const end = [&]() -> net::task<> {
    auto const r = co_await store->end("a");
    done = !r;  // "+OK" is no answer of a script
  };
  net::spawn(end());
  REQUIRE(run_until(context, [&] { return done; }));
  CHECK(near->size() == 0);
}
