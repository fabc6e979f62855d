#include <chrono>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "doorward/base/errc.hpp"
#include "doorward/session/lifetime.hpp"
#include "doorward/session/redis_store.hpp"
#include "real_redis.hpp"

using namespace doorward;
using namespace doorward::test;
using namespace std::chrono_literals;
using session::field;
using session::outcome;
using fields = std::vector<std::pair<std::string, std::string>>;

namespace {

real_redis& server() {
  static real_redis one;
  return one;
}

/// Two connections, so that operations can meet in Redis.
struct fixture {
  asio::io_context context{1};
  net::turn_queue turns{context};
  fast_random random{7};
  config::session_config config;
  config::redis_config redis;
  session::field_layout layout{config.fields};
  std::optional<redis::client> client, other;
  std::optional<session::redis_store> store, second;

  fixture() {
    redis.server.type = config::endpoint::kind::unix_socket;
    redis.server.path = server().path();
    redis.command_timeout = 5s;
    connect();
    REQUIRE(ask({"FLUSHALL"}).text == "OK");
  }
  ~fixture() { close(); }
  void connect() {
    client.emplace(turns, redis, random);
    other.emplace(turns, redis, random);
    client->start();
    other->start();
    REQUIRE(run_until(context, [&] { return client->connected() && other->connected(); }));
    make_stores();
  }
  void close() {
    store.reset();
    second.reset();
    client.reset();
    other.reset();
    settle(context);
  }
  void make_stores() {
    store.emplace(*client, config);
    second.emplace(*other, config);
  }

  called ask(std::vector<std::string> words) {
    called c;
    net::spawn(call(*client, std::move(words), c));
    REQUIRE(run_until(context, [&] { return c.done; }));
    return c;
  }
  long long number(std::vector<std::string> words) { return ask(std::move(words)).integer; }
  bool exists(std::string const& key) { return number({"EXISTS", key}) == 1; }
  std::map<std::string, std::string> hash(std::string const& key) {
    auto const c = ask({"HGETALL", key});
    std::map<std::string, std::string> out;
    for (std::size_t i = 0; i + 1 < c.items.size(); i += 2)
      out[c.items[i]] = c.items[i + 1];
    return out;
  }
  std::set<std::string> members(std::string const& key) {
    auto const c = ask({"SMEMBERS", key});
    return {c.items.begin(), c.items.end()};
  }

  error_code create(session::new_session s, fields const& grant) {
    std::optional<error_code> ec;
    s.fields = grant;
    auto const run = [&]() -> net::task<> { ec = co_await store->create(s); };
    net::spawn(run());
    REQUIRE(run_until(context, [&] { return ec.has_value(); }));
    return *ec;
  }
  error_code create(std::string_view id, fields const& grant) {
    session::new_session s;
    s.id = id;
    return create(s, grant);
  }
  void touch(std::string_view id) {
    auto const sum = [&] {
      auto const& t = store->touches();
      return t.done + t.skipped + t.gone + t.failed;
    };
    auto const before = sum();
    store->touch(id);
    REQUIRE(run_until(context, [&] { return sum() != before; }));
  }
  template <class Task>
  std::uint64_t wait(Task make) {
    std::optional<result<std::uint64_t>> r;
    auto const run = [&]() -> net::task<> { r = co_await make(); };
    net::spawn(run());
    REQUIRE(run_until(context, [&] { return r.has_value(); }));
    return r->value();
  }
  std::uint64_t end(std::string const& id) {
    return wait([&] { return store->end(id); });
  }
  std::uint64_t end_all(std::string const& id) {
    return wait([&] { return store->end_all(id); });
  }
  outcome find(std::string_view id, session::record& r) {
    std::optional<outcome> o;
    auto const run = [&]() -> net::task<> { o = co_await store->find(id, r); };
    net::spawn(run());
    REQUIRE(run_until(context, [&] { return o.has_value(); }));
    return *o;
  }
};

bool near(long long value, long long expected, long long by = 5000) {
  return value <= expected && value > expected - by;
}

}  // namespace

TEST_CASE_METHOD(fixture, "a grant becomes a record, an index entry and two expiries") {
  CHECK_FALSE(create("id1", {{"userId", "42"}, {"role", "admin,ops"}, {"plan", ""}, {"city", "Köln\r\n"}}));
  auto const h = hash("session:id1");
  CHECK(h.size() == 6);
  CHECK(h.at("userId") == "42");
  CHECK(h.at("role") == "admin,ops");
  CHECK(h.at("plan").empty());
  CHECK(h.at("city") == "Köln\r\n");
  CHECK(near(std::stoll(h.at("createdAt")), wall_now() + 1));
  CHECK(h.at("lastSeen") == h.at("createdAt"));
  CHECK(near(number({"PTTL", "session:id1"}), 30LL * 60 * 1000));
  CHECK(members("user:42:sessions") == std::set<std::string>{"session:id1"});
  CHECK(near(number({"PTTL", "user:42:sessions"}), 90LL * 86400 * 1000));

  session::record r{layout};
  CHECK(find("id1", r) == outcome::found);
  CHECK(r.user() == "42");
  CHECK_FALSE(session::past_absolute(r, config.lifetime, wall_now()));
  CHECK_FALSE(session::needs_touch(r, config.lifetime, wall_now()));
}

TEST_CASE_METHOD(fixture, "an id that is taken is never written over") {
  CHECK_FALSE(create("id1", {{"userId", "42"}}));
  CHECK(create("id1", {{"userId", "43"}}) == errc::store_error);
  CHECK(hash("session:id1").at("userId") == "42");
  CHECK_FALSE(exists("user:43:sessions"));
}

TEST_CASE_METHOD(fixture, "an index of another type: nothing is written") {
  ask({"SET", "user:42:sessions", "x"});
  CHECK(create("id1", {{"userId", "42"}}) == errc::store_error);
  CHECK_FALSE(exists("session:id1"));
}

TEST_CASE_METHOD(fixture, "a grant can neither date a session back nor lift its limits") {
  CHECK_FALSE(create("id1", {{"userId", "42"},
                             {"createdAt", "99999999999999"},
                             {"lastSeen", "1"},
                             {"doorward.absoluteUntil", "99999999999999"},
                             {"doorward.idle", "99999999"}}));
  auto const h = hash("session:id1");
  CHECK(h.size() == 3);
  CHECK(near(std::stoll(h.at("createdAt")), wall_now() + 1));
}

TEST_CASE_METHOD(fixture, "remembered, or with limits of its own: the record says so") {
  session::new_session s;
  s.id = "id1";
  s.remember = true;
  long long idle = 14LL * 86400, absolute = 90LL * 86400;
  SECTION("remembered") {}
  SECTION("own idle time") {
    s.idle = std::chrono::seconds{idle = 60};
  }
  SECTION("own limit, below the idle time") {
    s.absolute = std::chrono::seconds{absolute = 100};
  }
  SECTION("own limit, above everything") {
    s.absolute = std::chrono::seconds{absolute = 200LL * 86400};
  }
  CHECK_FALSE(create(s, {{"userId", "42"}}));
  auto const h = hash("session:id1");
  CHECK(h.at("doorward.idle") == std::to_string(idle));
  CHECK(std::stoll(h.at("doorward.absoluteUntil")) == std::stoll(h.at("createdAt")) + absolute * 1000);
  CHECK(near(number({"PTTL", "session:id1"}), std::min(idle, absolute) * 1000));
  CHECK(number({"PTTL", "user:42:sessions"}) >= absolute * 1000 - 5000);
}

TEST_CASE_METHOD(fixture, "a login ends the session that came with it, in its own user's index") {
  CHECK_FALSE(create("old", {{"userId", "mallory"}}));
  session::new_session s;
  s.id = "new";
  s.replaces = "old";
  CHECK_FALSE(create(s, {{"userId", "alice"}}));
  CHECK_FALSE(exists("session:old"));
  CHECK_FALSE(exists("user:mallory:sessions"));
  CHECK(members("user:alice:sessions") == std::set<std::string>{"session:new"});
}

TEST_CASE_METHOD(fixture, "the session that came with a login is not one") {
  session::new_session s;
  s.id = "new";
  s.replaces = "old";
  SECTION("there is none") {}
  SECTION("another type is left alone") {
    ask({"SET", "session:old", "x"});
  }
  SECTION("a ghost goes") {
    ask({"HSET", "session:old", "lastSeen", "1"});
  }
  bool const other_type = ask({"TYPE", "session:old"}).text == "string";
  CHECK_FALSE(create(s, {{"userId", "alice"}}));
  CHECK(exists("session:old") == other_type);
  CHECK(exists("session:new"));
}

TEST_CASE_METHOD(fixture, "expired sessions leave the index with the next login, and its life is never shortened") {
  for (int i = 0; i < 10; ++i)
    ask({"SADD", "user:42:sessions", "session:gone" + std::to_string(i)});
  CHECK_FALSE(create("id1", {{"userId", "42"}}));
  CHECK(members("user:42:sessions") == std::set<std::string>{"session:id1"});
  CHECK(near(number({"PTTL", "user:42:sessions"}), 90LL * 86400 * 1000));
  ask({"PEXPIRE", "user:42:sessions", "17280000000"});
  CHECK_FALSE(create("id2", {{"userId", "42"}}));
  CHECK(near(number({"PTTL", "user:42:sessions"}), 17280000000));
}

TEST_CASE_METHOD(fixture, "a login that ends the user's others") {
  CHECK_FALSE(create("a", {{"userId", "42"}}));
  CHECK_FALSE(create("b", {{"userId", "42"}}));
  CHECK_FALSE(create("c", {{"userId", "43"}}));
  ask({"SADD", "user:42:sessions", "session:c"});
  session::new_session s;
  s.id = "d";
  s.revoke_others = true;
  CHECK_FALSE(create(s, {{"userId", "42"}}));
  CHECK_FALSE(exists("session:a"));
  CHECK_FALSE(exists("session:b"));
  CHECK(exists("session:c"));  // another user's, whatever the index says
  CHECK(members("user:42:sessions") == std::set<std::string>{"session:d"});
}

TEST_CASE_METHOD(fixture, "a touch moves the time and the expiry") {
  CHECK_FALSE(create("id1", {{"userId", "42"}}));
  auto const now = wall_now();
  ask({"HSET", "session:id1", "lastSeen", std::to_string(now - 120'000)});
  ask({"PEXPIRE", "session:id1", "5000"});
  touch("id1");
  CHECK(store->touches().done == 1);
  CHECK(std::stoll(hash("session:id1").at("lastSeen")) >= now);
  CHECK(near(number({"PTTL", "session:id1"}), 30LL * 60 * 1000));
}

TEST_CASE_METHOD(fixture, "seen just now, says Redis: nothing to do") {
  CHECK_FALSE(create("id1", {{"userId", "42"}}));
  ask({"PEXPIRE", "session:id1", "5000"});
  touch("id1");
  CHECK(store->touches().skipped == 1);
  CHECK(number({"PTTL", "session:id1"}) <= 5000);
}

TEST_CASE_METHOD(fixture, "the expiry a touch sets") {
  auto const now = wall_now();
  auto const old = std::to_string(now - 11 * 3600'000LL - 1800'000LL - 600'000LL);  // 12 h minus 20 min
  struct row {
    std::string what;
    fields record;
    long long left;
  };
  row const rows[] = {
      {"idle time", {{"createdAt", std::to_string(now)}}, 1800'000},
      {"what is left of the absolute limit", {{"createdAt", old}}, 1200'000},
      {"created in seconds", {{"createdAt", old.substr(0, 10)}}, 1200'000},
      {"own idle time", {{"createdAt", std::to_string(now)}, {"doorward.idle", "7200"}}, 7200'000},
      {"own idle time that is no number", {{"createdAt", std::to_string(now)}, {"doorward.idle", "x"}}, 1800'000},
      {"own limit", {{"createdAt", old}, {"doorward.absoluteUntil", std::to_string(now + 60'000)}}, 60'000},
      {"own limit above the configured one",
       {{"createdAt", old}, {"doorward.absoluteUntil", std::to_string(now + 86400'000)}},
       1800'000},
      {"created as a date", {{"createdAt", "2025-08-01T00:00:00Z"}}, 1800'000},
  };
  for (auto const& r : rows) {
    INFO(r.what);
    make_stores();  // forgets which sessions it has touched
    ask({"DEL", "session:id1"});
    ask({"HSET", "session:id1", "userId", "42"});
    for (auto const& [name, value] : r.record)
      ask({"HSET", "session:id1", name, value});
    touch("id1");
    CHECK(store->touches().done == 1);
    CHECK(near(number({"PTTL", "session:id1"}), r.left + 1000, 8000));
  }
}

TEST_CASE_METHOD(fixture, "a session without a readable start gets its absolute limit at the first touch, once") {
  fields start;
  SECTION("no createdAt") {}
  SECTION("a date") {
    start = {{"createdAt", "2025-08-01T00:00:00Z"}};
  }
  ask({"HSET", "session:id1", "userId", "42"});
  for (auto const& [name, value] : start)
    ask({"HSET", "session:id1", name, value});
  touch("id1");
  auto const until = hash("session:id1").at("doorward.absoluteUntil");
  CHECK(near(std::stoll(until), wall_now() + 12 * 3600'000LL + 1));
  run_for(context, 5ms);
  make_stores();
  ask({"HSET", "session:id1", "lastSeen", "1"});
  touch("id1");
  CHECK(store->touches().done == 1);
  CHECK(hash("session:id1").at("doorward.absoluteUntil") == until);
}

TEST_CASE_METHOD(fixture, "a touch never makes a session of what is none") {
  auto const now = wall_now();
  bool there = true;
  SECTION("no key") {
    there = false;
  }
  SECTION("no user") {
    ask({"HSET", "session:id1", "role", "admin"});
  }
  SECTION("empty user") {
    ask({"HSET", "session:id1", "userId", ""});
  }
  SECTION("another type") {
    ask({"SET", "session:id1", "x"});
  }
  SECTION("past its absolute limit") {
    ask({"HSET", "session:id1", "userId", "42", "createdAt", std::to_string(now - 13 * 3600'000LL)});
    there = false;
  }
  SECTION("a limit that cannot be read") {
    ask({"HSET", "session:id1", "userId", "42", "doorward.absoluteUntil", "x"});
  }
  touch("id1");
  CHECK(store->touches().gone == 1);
  CHECK(exists("session:id1") == there);
  if (there) {
    CHECK(number({"PTTL", "session:id1"}) == -1);
    if (ask({"TYPE", "session:id1"}).text == "hash") CHECK(number({"HEXISTS", "session:id1", "lastSeen"}) == 0);
  }
}

TEST_CASE_METHOD(fixture, "ending a session, and ending it again") {
  CHECK_FALSE(create("a", {{"userId", "42"}}));
  CHECK_FALSE(create("b", {{"userId", "42"}}));
  CHECK(end("a") == 1);
  CHECK_FALSE(exists("session:a"));
  CHECK(members("user:42:sessions") == std::set<std::string>{"session:b"});
  CHECK(end("a") == 0);
  CHECK(exists("session:b"));
}

TEST_CASE_METHOD(fixture, "ending what is no session") {
  SECTION("a ghost goes") {
    ask({"HSET", "session:a", "lastSeen", "1"});
    CHECK(end("a") == 1);
    CHECK_FALSE(exists("session:a"));
  }
  SECTION("another type stays") {
    ask({"SET", "session:a", "x"});
    CHECK(end("a") == 0);
    CHECK(end_all("a") == 0);
    CHECK(exists("session:a"));
  }
  SECTION("the index has another type") {
    ask({"HSET", "session:a", "userId", "42"});
    ask({"SET", "user:42:sessions", "x"});
    CHECK(end("a") == 1);
    ask({"HSET", "session:b", "userId", "42"});
    CHECK(end_all("b") == 1);
    CHECK_FALSE(exists("session:b"));
  }
}

TEST_CASE_METHOD(fixture, "ending all of a user's sessions") {
  for (auto const* id : {"a", "b", "c"})
    CHECK_FALSE(create(id, {{"userId", "42"}}));
  CHECK_FALSE(create("x", {{"userId", "43"}}));
  ask({"SADD", "user:42:sessions", "session:x", "session:gone", "user:43:sessions"});
  CHECK(end_all("b") == 3);
  for (auto const* id : {"a", "b", "c"})
    CHECK_FALSE(exists(std::string("session:") + id));
  CHECK_FALSE(exists("user:42:sessions"));
  CHECK(exists("session:x"));
  CHECK(exists("user:43:sessions"));
  CHECK(end_all("b") == 0);
}

TEST_CASE_METHOD(fixture, "a session that is in no index is ended too") {
  ask({"HSET", "session:a", "userId", "42"});
  CHECK(end_all("a") == 1);
  CHECK_FALSE(exists("session:a"));
}

TEST_CASE_METHOD(fixture, "keys and fields by other names") {
  config.key = {"app:{", "}:s"};
  config.index = {"idx:", ""};
  config.fields = {"uid", "groups", "born", "seen"};
  make_stores();
  CHECK_FALSE(create("a", {{"uid", "42"}}));
  CHECK_FALSE(create("b", {{"uid", "42"}}));
  CHECK(hash("app:{a}:s").count("born") == 1);
  CHECK(members("idx:42") == std::set<std::string>{"app:{a}:s", "app:{b}:s"});
  ask({"HDEL", "app:{a}:s", "seen"});
  touch("a");
  CHECK(hash("app:{a}:s").count("seen") == 1);
  CHECK(end("a") == 1);
  CHECK(end_all("b") == 1);
  CHECK(number({"DBSIZE"}) == 0);
}

TEST_CASE_METHOD(fixture, "touches and a log-out meet in every order: the session never comes back") {
  int ended = 0;
  for (int round = 0; round < 200; ++round) {
    auto const id = "id" + std::to_string(round);
    ask({"HSET", "session:" + id, "userId", "42"});
    ask({"SADD", "user:42:sessions", "session:" + id});
    int done = 0;
    auto const end = [&](session::redis_store& s, bool all) -> net::task<> {
      auto const r = all ? co_await s.end_all(id) : co_await s.end(id);
      if (!r.has_error()) ++done;
    };
    // On two connections Redis takes them as they come; which is first changes from round to round.
    if (round % 2 == 0) store->touch(id);
    net::spawn(end(*second, round % 3 == 0));
    if (round % 4 < 2) second->touch(id);
    store->touch(id);
    REQUIRE(run_until(context, [&] { return done == 1 && client->pending() + other->pending() == 0; }));
    ended += done;
    REQUIRE_FALSE(exists("session:" + id));
  }
  CHECK(ended == 200);
  CHECK_FALSE(exists("user:42:sessions"));
}

TEST_CASE_METHOD(fixture, "a login and a log-out everywhere meet: what survives is in the index") {
  for (int round = 0; round < 100; ++round) {
    ask({"FLUSHALL"});
    CHECK_FALSE(create("first", {{"userId", "42"}}));
    fields const grant{{"userId", "42"}};
    int done = 0;
    auto const login = [&]() -> net::task<> {
      session::new_session s;
      s.id = "second";
      s.fields = grant;
      if (!co_await store->create(s)) ++done;
    };
    auto const everywhere = [&]() -> net::task<> {
      auto const r = co_await second->end_all("first");
      if (!r.has_error()) ++done;
    };
    if (round % 2 == 0) net::spawn(login());
    net::spawn(everywhere());
    if (round % 2 != 0) net::spawn(login());
    REQUIRE(run_until(context, [&] { return done == 2; }));
    CHECK_FALSE(exists("session:first"));
    auto const left = members("user:42:sessions");
    CHECK(exists("session:second") == (left == std::set<std::string>{"session:second"}));
    CHECK((left.empty() || left == std::set<std::string>{"session:second"}));
  }
}

namespace {

/// The ACL line as the documentation gives it.
std::vector<std::string> documented_acl() {
  std::ifstream file{std::string{DOORWARD_SOURCE_DIR} + "/docs/redis.md"};
  std::string line;
  while (std::getline(file, line) && !line.starts_with("ACL SETUSER")) {
  }
  std::istringstream words{line};
  return {std::istream_iterator<std::string>{words}, {}};
}

}  // namespace

TEST_CASE_METHOD(fixture, "the documented permissions suffice, and each of them is needed") {
  auto const acl = documented_acl();
  REQUIRE(acl.size() > 10);

  // Everything doorward ever does, as that user; the number of things that did not work.
  auto const everything = [&] {
    ask({"FLUSHALL"});
    ask({"SCRIPT", "FLUSH"});
    ask({"HSET", "session:foreign", "userId", "7"});
    ask({"SADD", "user:42:sessions", "session:gone"});
    auto const admin = redis;
    close();
    redis.username = "doorward";
    redis.password = redacted{"secret"};
    redis.connect_timeout = 30ms;
    client.emplace(turns, redis, random);
    client->start();
    int failures = 0;
    if (run_until(
            context, [&] { return client->connected(); }, 60ms)) {
      store.emplace(*client, config);
      session::record r{layout};
      bool finished = false;
      auto const run = [&]() -> net::task<> {
        fields const grant{{"userId", "42"}};
        session::new_session s;
        s.fields = grant;
        for (auto const* id : {"a", "b", "c"}) {
          s.id = id;
          if (co_await store->create(s)) ++failures;
          s.replaces = id;
          s.revoke_others = *id == 'b';
        }
        if (co_await store->find("c", r) != outcome::found) ++failures;
        store->touch("foreign");
        auto const one = co_await store->end("foreign");
        if (one.has_error()) ++failures;
        auto const all = co_await store->end_all("c");
        if (all.has_error() || *all != 1) ++failures;
        if (co_await store->find("c", r) != outcome::absent) ++failures;
        finished = true;
      };
      net::spawn(run());
      REQUIRE(run_until(context, [&] { return finished; }));
      if (store->touches().done != 1) ++failures;
    } else {
      ++failures;
    }
    close();
    redis = admin;
    connect();
    // Nothing of the user's may be left in the index of somebody who has logged out everywhere.
    if (number({"DBSIZE"}) != 0) ++failures;
    return failures;
  };

  REQUIRE(ask(acl).text == "OK");
  CHECK(everything() == 0);
  for (auto const& word : acl) {
    if (word[0] != '+') continue;
    INFO("without " << word);
    REQUIRE(ask({"ACL", "SETUSER", "doorward", "-" + word.substr(1)}).text == "OK");
    CHECK(everything() > 0);
    REQUIRE(ask({"ACL", "SETUSER", "doorward", word}).text == "OK");
  }
}
