#include <fstream>
#include <sstream>

#include "store_fixture.hpp"

using namespace doorward;
using namespace doorward::test;
using namespace std::chrono_literals;
using session::outcome;

TEST_CASE_METHOD(store_fixture, "touches and a log-out meet in every order: the session never comes back") {
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

TEST_CASE_METHOD(store_fixture, "a login and a log-out everywhere meet: what survives is in the index") {
  for (int round = 0; round < 100; ++round) {
    ask({"FLUSHALL"});
    CHECK_FALSE(create("first", {{"userId", "42"}}));
    fields const grant{{"userId", "42"}};
    int done = 0;
    auto const login = [&]() -> net::task<> {
      session::new_session s;
      s.id = "second";
      s.fields = grant;
      auto const r = co_await store->create(s);
      if (r) ++done;
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

TEST_CASE_METHOD(store_fixture, "the documented permissions suffice, and each of them is needed") {
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
          auto const created = co_await store->create(s);
          if (!created) ++failures;
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
