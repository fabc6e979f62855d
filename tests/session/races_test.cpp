#include <cstdlib>
#include <fstream>
#include <sstream>

#include "store_fixture.hpp"

using namespace doorward;
using namespace doorward::test;
using namespace std::chrono_literals;
using session::outcome;

namespace {

/// How often things meet: a few hundred times, or as often as DOORWARD_RACES says (docs/redis.md names ten thousand).
int rounds(int few) {
  auto const* const many = std::getenv("DOORWARD_RACES");
  return many == nullptr ? few : std::atoi(many);
}

}  // namespace

TEST_CASE_METHOD(store_fixture, "touches and a log-out meet in every order: the session never comes back") {
  int const all_rounds = rounds(200);
  int ended = 0;
  for (int round = 0; round < all_rounds; ++round) {
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
  CHECK(ended == all_rounds);
  CHECK_FALSE(exists("user:42:sessions"));
}

TEST_CASE_METHOD(store_fixture, "logins and a log-out everywhere meet: of those that began before it none survives") {
  ask({"FLUSHALL"});
  int survived = 0;
  for (int round = 0, all = rounds(200); round < all; ++round) {
    auto const user = std::to_string(round);
    fields const grant{{"userId", user}};
    CHECK_FALSE(create("first" + user, grant));
    int done = 0;
    auto const login = [&](session::redis_store& s, std::string id) -> net::task<> {
      session::new_session n;
      n.id = id;
      n.fields = grant;
      n.began_ago = 100ms;
      auto const r = co_await s.create(n);
      if (r || r.error() == errc::session_revoked) ++done;
    };
    auto const everywhere = [&]() -> net::task<> {
      auto const r = co_await second->end_all("first" + user);
      if (!r.has_error()) ++done;
    };
    // On two connections Redis takes them as they come; which is first changes from round to round.
    if (round % 2 == 0) net::spawn(login(*store, "a" + user));
    net::spawn(everywhere());
    net::spawn(login(*second, "b" + user));
    if (round % 3 != 0) net::spawn(login(*store, "c" + user));
    int const expected = 2 + (round % 2 == 0) + (round % 3 != 0);
    REQUIRE(run_until(context, [&] { return done == expected; }));
    for (auto const* id : {"a", "b", "c"}) {
      auto const o = find(id + user);
      if (o != outcome::absent && o != outcome::revoked) ++survived;
    }
    if (exists("user:" + user + ":sessions")) ++survived;
  }
  CHECK(survived == 0);
}

TEST_CASE_METHOD(store_fixture, "a hundred logins at once where one session may be: one remains") {
  config.limit = {.per_user = 1,
                  .when_full = GENERATE(config::limit_action::displace_oldest, config::limit_action::deny)};
  make_stores();
  for (int round = 0, all = rounds(200) / 100; round < all; ++round) {
    ask({"FLUSHALL"});
    fields const grant{{"userId", "42"}};
    int done = 0;
    std::uint64_t made = 0, went = 0;
    auto const login = [&](session::redis_store& s, std::string id) -> net::task<> {
      session::new_session n;
      n.id = id;
      n.fields = grant;
      auto const r = co_await s.create(n);
      if (r) {
        ++made;
        went += r->displaced;
      }
      ++done;
    };
    for (int i = 0; i < 100; ++i)
      net::spawn(login(i % 2 == 0 ? *store : *second, "id" + std::to_string(i)));
    REQUIRE(run_until(context, [&] { return done == 100; }));
    CHECK(made - went == 1);
    auto const left = members("user:42:sessions");
    REQUIRE(left.size() == 1);
    CHECK(find(left.begin()->substr(8)) == outcome::found);
  }
}

TEST_CASE_METHOD(store_fixture,
                 "a hundred logins at once where one session a class of device may be: one of each remains") {
  config.limit = {0, 1, GENERATE(config::limit_action::displace_oldest, config::limit_action::deny)};
  make_stores();
  constexpr std::string_view classes[] = {"computer", "phone", "tablet", "other"};
  for (int round = 0, all = rounds(200) / 100; round < all; ++round) {
    ask({"FLUSHALL"});
    fields const grant{{"userId", "42"}};
    int done = 0;
    std::uint64_t made = 0, went = 0;
    auto const login = [&](session::redis_store& s, std::string id, std::string_view device) -> net::task<> {
      session::new_session n;
      n.id = id;
      n.fields = grant;
      n.device_class = device;
      auto const r = co_await s.create(n);
      if (r) {
        ++made;
        went += r->displaced;
      }
      ++done;
    };
    for (std::size_t i = 0; i < 100; ++i)
      net::spawn(login(i % 2 == 0 ? *store : *second, "id" + std::to_string(i), classes[i / 2 % 4]));
    REQUIRE(run_until(context, [&] { return done == 100; }));
    CHECK(made - went == 4);
    std::set<std::string> left;
    for (auto const& key : members("user:42:sessions")) {
      CHECK(find(key.substr(8)) == outcome::found);
      left.insert(hash(key)["doorward.deviceClass"]);
    }
    CHECK(left == std::set<std::string>{"computer", "phone", "tablet", "other"});
  }
}

TEST_CASE_METHOD(store_fixture, "a list and sessions that expire under it: none is shown that has no time left") {
  for (int round = 0, all = rounds(200); round < all; ++round) {
    auto const id = "id" + std::to_string(round);
    ask({"HSET", "session:" + id, "userId", "42"});
    ask({"PEXPIRE", "session:" + id, std::to_string(1 + round % 3)});
    ask({"SADD", "user:42:sessions", "session:" + id});
    for (auto const& s : list("42"))
      CHECK((s.left && s.left->count() >= 0));
  }
  ask({"DEL", "user:42:sessions"});
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

TEST_CASE_METHOD(store_fixture, "the documented permissions suffice, and each of them is needed") {
  auto const acl = documented_acl();
  REQUIRE(acl.size() > 10);

  // Everything doorward ever does, as that user, with sessions of its own, or with another program's, too; the number
  // of things that did not work.
  auto const everything = [&](bool theirs_too = false) {
    ask({"FLUSHALL"});
    ask({"SCRIPT", "FLUSH"});
    ask({"HSET", "session:foreign", "userId", "7"});
    ask({"SADD", "user:42:sessions", "session:gone"});
    ask({"SET", "session:theirs", R"({"userId":"9"})"});
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
        std::string_view before;
        for (auto const* id : {"a", "b", "c"}) {
          s.id = id;
          auto const created = co_await store->create(s);
          if (!created) ++failures;
          before = id;
          s.replaces = {&before, 1};
          s.revoke_others = *id == 'b';
        }
        if (co_await store->find("c", r) != outcome::found) ++failures;
        store->touch("foreign");
        auto const one = co_await store->end("foreign");
        if (one.has_error()) ++failures;
        auto const all = co_await store->end_all("c");
        if (all.has_error() || *all != 1) ++failures;
        if (co_await store->find("c", r) != outcome::absent) ++failures;
        s.id = "d";
        s.replaces = {};
        s.began_ago = milliseconds{-1000};  // after the log-out everywhere
        if ((co_await store->create(s)).has_error()) ++failures;
        s.id = "e";
        if ((co_await store->create(s)).has_error()) ++failures;
        auto const listed = co_await store->list("42");
        if (!listed || listed->size() != 2) ++failures;
        if ((co_await store->revoke("42", "session:d")).has_error()) ++failures;
        if ((co_await store->end_others("e")).has_error()) ++failures;
        if ((co_await store->end_user("42")).has_error()) ++failures;
        if (theirs_too) {
          auto their_config = config;
          their_config.encoding = config::session_encoding::json;
          session::redis_store theirs(*client, their_config);
          auto const found = co_await theirs.find("theirs", r);
          if (found != outcome::found) ++failures;
          auto const ended = co_await theirs.end("theirs");
          if (ended.has_error() || *ended != 1) ++failures;
        }
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
    // Nothing may be left in the index of somebody who has logged out everywhere.
    if (exists("user:42:sessions")) ++failures;
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
  // What is said beside the line.
  CHECK(everything(true) > 0);
  REQUIRE(ask({"ACL", "SETUSER", "doorward", "+get"}).text == "OK");
  CHECK(everything(true) == 0);
}
