#include "doorward/session/everybody.hpp"

#include "store_fixture.hpp"

using namespace doorward;
using namespace doorward::test;
using namespace std::chrono_literals;
using session::outcome;

namespace {

struct walk : store_fixture {
  std::string id(std::string const& name) { return "0123456789abcdef-" + name; }
  void made(std::string const& name, std::string const& user, bool indexed = true) {
    ask({"HSET", "session:" + id(name), "userId", user});
    if (indexed) ask({"SADD", "user:" + user + ":sessions", "session:" + id(name)});
  }
  session::swept step(std::string cursor) {
    std::optional<result<session::swept>> r;
    auto const run = [&]() -> net::task<> { r = co_await session::end_some(*client, config, cursor); };
    net::spawn(run());
    REQUIRE(run_until(context, [&] { return r.has_value(); }));
    return r->value();
  }
  /// `between`: what happens after each step but the last.
  std::uint64_t all(std::function<void()> const& between = [] {}) {
    std::uint64_t ended = 0;
    auto s = step("0");
    for (; s.next != "0"; s = step(s.next)) {
      REQUIRE_FALSE(s.refused);
      ended += s.ended;
      between();
    }
    return ended + s.ended;
  }
};

fields const alice{{"userId", "42"}};

}  // namespace

TEST_CASE_METHOD(walk, "everybody's sessions end, those in no index too, and say so") {
  made("a", "42");
  made("b", "42");
  made("x", "43", false);
  CHECK(all() == 3);
  for (auto const* name : {"a", "b", "x"})
    CHECK(find(id(name)) == outcome::revoked);
  CHECK_FALSE(exists("user:42:sessions"));
  CHECK(all() == 0);
  CHECK(near(number({"PTTL", "session:" + id("a")}), 15LL * 60 * 1000));
}

TEST_CASE_METHOD(walk, "logins under way are refused to whoever had an index or a session") {
  made("x", "43", false);
  ask({"SADD", "user:44:sessions", "session:gone-and-forgotten"});
  CHECK(all() == 1);
  for (auto const* user : {"43", "44"}) {
    session::new_session s;
    auto const late = id("late");
    s.id = late;
    s.began_ago = 1s;
    CHECK(create(s, {{"userId", user}}) == errc::session_revoked);
    auto const later = id(std::string("later-") + user);
    s.id = later;
    s.began_ago = -1s;
    CHECK_FALSE(create(s, {{"userId", user}}));
  }
}

TEST_CASE_METHOD(walk, "what is no session is left alone") {
  ask({"SET", "session:" + id("text"), "x"});
  ask({"HSET", "session:" + id("ghost"), "lastSeen", "1"});
  ask({"HSET", "session:short", "userId", "42"});  // no id that anybody could come with
  ask({"HSET", "session:ended:0123456789abcdef", "userId", "42"});
  ask({"HSET", "other:" + id("a"), "userId", "42"});
  ask({"SET", "user:text:sessions", "x"});
  ask({"SADD", "user:50:sessions", "other:" + id("a"), "session:" + id("text")});
  ask({"SADD", "user:50:others", "x"});
  CHECK(all() == 0);
  CHECK(hash("session:short").contains("userId"));
  CHECK(hash("session:ended:0123456789abcdef").contains("userId"));
  CHECK(hash("other:" + id("a")).contains("userId"));
  CHECK(members("user:50:sessions").size() == 2);
  CHECK(exists("user:50:others"));
}

TEST_CASE_METHOD(walk, "an index names another's session: it ends as the other's") {
  made("a", "42");
  ask({"SADD", "user:43:sessions", "session:" + id("a")});
  CHECK(all() == 1);
  CHECK(find(id("a")) == outcome::revoked);
  CHECK_FALSE(exists("user:42:sessions"));
}

TEST_CASE_METHOD(walk, "sets of others are no indexes, even where any name could be one") {
  config.index = {"", ""};
  make_stores();
  ask({"SADD", "colours", "red", "green"});
  CHECK_FALSE(create(id("a"), alice));
  CHECK(all() == 1);
  CHECK(members("colours") == std::set<std::string>{"green", "red"});
}

TEST_CASE_METHOD(walk, "names that hold what patterns are made of") {
  config.key = {"s[*]%:", "?"};
  config.index = {"u.*:", "%d"};
  make_stores();
  ask({"HSET", "s[*]%:" + id("a") + "?", "userId", "a*b"});
  ask({"SADD", "u.*:a*b%d", "s[*]%:" + id("a") + "?"});
  ask({"HSET", "sx%:" + id("b") + "?", "userId", "a*b"});
  CHECK(all() == 1);
  CHECK(hash("sx%:" + id("b") + "?").contains("userId"));
}

TEST_CASE_METHOD(walk, "keys with tags") {
  config.layout = config::key_layout::tagged;
  ask({"HSET", "session:{12ab}." + id("a"), "userId", "42"});
  ask({"HSET", "session:{12ab}." + id("b"), "userId", "42"});
  ask({"SADD", "user:{12ab}:42:sessions", "session:{12ab}." + id("a")});
  CHECK(all() == 2);
  CHECK(hash("session:{12ab}." + id("a")).contains("doorward.ended"));
  CHECK(hash("session:{12ab}." + id("b")).contains("doorward.ended"));
  CHECK(exists("session:ended:{12ab}:42"));
}

TEST_CASE_METHOD(walk, "a walk of many steps, while people log in") {
  constexpr int before = 1500;
  for (int i = 0; i < before; ++i)
    made(std::to_string(i), std::to_string(i % 100), i % 3 != 0);
  int logins = 0;
  auto const ended = all([&] {
    session::new_session s;
    auto const name = id("new-" + std::to_string(++logins));
    s.id = name;
    s.began_ago = -1s;
    CHECK_FALSE(create(s, {{"userId", std::to_string(logins % 100)}}));
  });
  CHECK(logins > 3);
  CHECK(ended >= before);
  CHECK(ended <= static_cast<std::uint64_t>(before + logins));
  for (int i = 0; i < before; ++i)
    CHECK(find(id(std::to_string(i))) == outcome::revoked);
}

TEST_CASE_METHOD(walk, "an ACL user without SCAN, and with it") {
  auto const make_user = [&](std::string const& more) {
    std::vector<std::string> rules{"ACL", "SETUSER", "operator",   "reset",
                                   "on",  ">secret", "~session:*", "~user:*:sessions"};
    for (auto const* r : {"-@all", "+ping", "+hgetall", "+evalsha", "+eval", "+hget", "+hmget", "+hset", "+type",
                          "+exists", "+time", "+del", "+pexpire", "+pttl", "+sadd", "+srem", "+smembers"})
      rules.emplace_back(r);
    if (!more.empty()) rules.push_back(more);
    REQUIRE(ask(rules).text == "OK");
  };
  made("a", "42");
  made("x", "43", false);
  ask({"SADD", "colours", "red"});  // not among its keys, and not looked at
  make_user("");
  redis.username = "operator";
  redis.password = redacted{"secret"};
  client.emplace(turns, redis, random);
  client->start();
  REQUIRE(run_until(context, [&] { return client->connected(); }));
  CHECK(step("0").refused);
  CHECK(find(id("a")) == outcome::found);

  redis.username.clear();
  redis.password = redacted{};
  connect();
  make_user("+scan");
  redis.username = "operator";
  redis.password = redacted{"secret"};
  client.emplace(turns, redis, random);
  client->start();
  REQUIRE(run_until(context, [&] { return client->connected(); }));
  CHECK(all() == 2);
}
