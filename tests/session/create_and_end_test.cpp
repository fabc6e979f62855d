#include "doorward/session/lifetime.hpp"
#include "store_fixture.hpp"

using namespace doorward;
using namespace doorward::test;
using namespace std::chrono_literals;
using session::outcome;

TEST_CASE_METHOD(store_fixture, "a grant becomes a record, an index entry and two expiries") {
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

TEST_CASE_METHOD(store_fixture, "an id that is taken is never written over") {
  CHECK_FALSE(create("id1", {{"userId", "42"}}));
  CHECK(create("id1", {{"userId", "43"}}) == errc::store_error);
  CHECK(hash("session:id1").at("userId") == "42");
  CHECK_FALSE(exists("user:43:sessions"));
}

TEST_CASE_METHOD(store_fixture, "an index of another type: nothing is written") {
  ask({"SET", "user:42:sessions", "x"});
  CHECK(create("id1", {{"userId", "42"}}) == errc::store_error);
  CHECK_FALSE(exists("session:id1"));
}

TEST_CASE_METHOD(store_fixture, "a grant can neither date a session back nor lift its limits") {
  CHECK_FALSE(create("id1", {{"userId", "42"},
                             {"createdAt", "99999999999999"},
                             {"lastSeen", "1"},
                             {"doorward.absoluteUntil", "99999999999999"},
                             {"doorward.idle", "99999999"}}));
  auto const h = hash("session:id1");
  CHECK(h.size() == 3);
  CHECK(near(std::stoll(h.at("createdAt")), wall_now() + 1));
}

TEST_CASE_METHOD(store_fixture, "remembered, or with limits of its own: the record says so") {
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

TEST_CASE_METHOD(store_fixture, "a login ends the session that came with it, in its own user's index") {
  CHECK_FALSE(create("old", {{"userId", "mallory"}}));
  session::new_session s;
  s.id = "new";
  std::string_view const replaced_id = "old";
  s.replaces = {&replaced_id, 1};
  CHECK_FALSE(create(s, {{"userId", "alice"}}));
  CHECK(replaced == 1);
  CHECK_FALSE(exists("session:old"));
  CHECK_FALSE(exists("user:mallory:sessions"));
  CHECK(members("user:alice:sessions") == std::set<std::string>{"session:new"});
}

TEST_CASE_METHOD(store_fixture, "the session that came with a login is not one") {
  session::new_session s;
  s.id = "new";
  std::string_view const replaced_id = "old";
  s.replaces = {&replaced_id, 1};
  SECTION("there is none") {}
  SECTION("another type is left alone") {
    ask({"SET", "session:old", "x"});
  }
  SECTION("a ghost goes") {
    ask({"HSET", "session:old", "lastSeen", "1"});
  }
  bool const other_type = ask({"TYPE", "session:old"}).text == "string";
  CHECK_FALSE(create(s, {{"userId", "alice"}}));
  CHECK(replaced == 0);
  CHECK(exists("session:old") == other_type);
  CHECK(exists("session:new"));
}

TEST_CASE_METHOD(store_fixture,
                 "expired sessions leave the index with the next login, and its life is never shortened") {
  for (int i = 0; i < 10; ++i)
    ask({"SADD", "user:42:sessions", "session:gone" + std::to_string(i)});
  CHECK_FALSE(create("id1", {{"userId", "42"}}));
  CHECK(members("user:42:sessions") == std::set<std::string>{"session:id1"});
  CHECK(near(number({"PTTL", "user:42:sessions"}), 90LL * 86400 * 1000));
  ask({"PEXPIRE", "user:42:sessions", "17280000000"});
  CHECK_FALSE(create("id2", {{"userId", "42"}}));
  CHECK(near(number({"PTTL", "user:42:sessions"}), 17280000000));
}

TEST_CASE_METHOD(store_fixture, "a login that ends the user's others") {
  CHECK_FALSE(create("a", {{"userId", "42"}}));
  CHECK_FALSE(create("b", {{"userId", "42"}}));
  CHECK_FALSE(create("c", {{"userId", "43"}}));
  ask({"SADD", "user:42:sessions", "session:c"});
  session::new_session s;
  s.id = "d";
  s.revoke_others = true;
  CHECK_FALSE(create(s, {{"userId", "42"}}));
  CHECK(revoked == 2);
  CHECK(find("a") == outcome::revoked);
  CHECK(find("b") == outcome::revoked);
  CHECK(exists("session:c"));  // another user's, whatever the index says
  CHECK(members("user:42:sessions") == std::set<std::string>{"session:d"});
}

TEST_CASE_METHOD(store_fixture, "ending a session, and ending it again") {
  CHECK_FALSE(create("a", {{"userId", "42"}}));
  CHECK_FALSE(create("b", {{"userId", "42"}}));
  CHECK(end("a") == 1);
  CHECK_FALSE(exists("session:a"));
  CHECK(members("user:42:sessions") == std::set<std::string>{"session:b"});
  CHECK(end("a") == 0);
  CHECK(exists("session:b"));
}

TEST_CASE_METHOD(store_fixture, "ending what is no session") {
  SECTION("a ghost goes") {
    ask({"HSET", "session:a", "lastSeen", "1"});
    CHECK(end("a") == 0);
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

TEST_CASE_METHOD(store_fixture, "ending all of a user's sessions") {
  for (auto const* id : {"a", "b", "c"})
    CHECK_FALSE(create(id, {{"userId", "42"}}));
  CHECK_FALSE(create("x", {{"userId", "43"}}));
  ask({"SADD", "user:42:sessions", "session:x", "session:gone", "user:43:sessions"});
  CHECK(end_all("b") == 3);
  CHECK(find("b") == outcome::absent);  // who asked for it need not be told
  CHECK(find("a") == outcome::revoked);
  CHECK(find("c") == outcome::revoked);
  CHECK_FALSE(exists("user:42:sessions"));
  CHECK(exists("session:x"));
  CHECK(exists("user:43:sessions"));
  CHECK(end_all("b") == 0);
}

TEST_CASE_METHOD(store_fixture, "a session that is in no index is ended too") {
  ask({"HSET", "session:a", "userId", "42"});
  CHECK(end_all("a") == 1);
  CHECK_FALSE(exists("session:a"));
}

TEST_CASE_METHOD(store_fixture, "keys and fields by other names") {
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
  CHECK(exists("app:{ended:42}:s"));
  CHECK(number({"DBSIZE"}) == 1);
}
