#include "store_fixture.hpp"

// The sessions of one user: how many, which, and the end of them.

using namespace doorward;
using namespace doorward::test;
using namespace std::chrono_literals;
using session::outcome;

namespace {

/// A store whose users may have so many sessions.
struct limited : store_fixture {
  void limit(unsigned per_user, config::limit_action when_full = config::limit_action::displace_oldest) {
    config.limit = {.per_user = per_user, .when_full = when_full};
    make_stores();
  }
  /// A session that was made `age` ago.
  void made(std::string const& id, milliseconds age, std::string const& user = "42") {
    ask({"HSET", "session:" + id, "userId", user, "createdAt", std::to_string(wall_now() - age.count()), "lastSeen",
         std::to_string(wall_now() - age.count())});
    ask({"PEXPIRE", "session:" + id, "600000"});
    ask({"SADD", "user:" + user + ":sessions", "session:" + id});
  }
};

fields const alice{{"userId", "42"}};

}  // namespace

TEST_CASE_METHOD(limited, "one session more than a user may have: the oldest goes, and is told why") {
  limit(2);
  made("newer", 1h);
  made("oldest", 2h);
  CHECK_FALSE(create("third", alice));
  CHECK(displaced == 1);
  CHECK(find("oldest") == outcome::displaced);
  CHECK(find("newer") == outcome::found);
  CHECK(members("user:42:sessions") == std::set<std::string>{"session:newer", "session:third"});
}

TEST_CASE_METHOD(limited, "a limit that came later ends as many as are too many") {
  for (int i = 0; i < 5; ++i)
    made("s" + std::to_string(i), std::chrono::hours{i + 1});
  limit(1);
  CHECK_FALSE(create("new", alice));
  CHECK(displaced == 5);
  CHECK(members("user:42:sessions") == std::set<std::string>{"session:new"});
}

TEST_CASE_METHOD(limited, "the session that the login replaces is not one too many") {
  auto const action = GENERATE(config::limit_action::displace_oldest, config::limit_action::deny);
  limit(1, action);
  made("old", 1h);
  session::new_session s;
  s.id = "new";
  std::string_view const replaced_id = "old";
  s.replaces = {&replaced_id, 1};
  CHECK_FALSE(create(s, alice));
  CHECK(replaced == 1);
  CHECK(displaced == 0);
}

TEST_CASE_METHOD(limited, "a login beyond the limit that is denied changes nothing") {
  limit(1, config::limit_action::deny);
  made("old", 1h);
  made("foreign", 1h, "43");
  session::new_session s;
  s.id = "new";
  std::string_view const replaced_id = "foreign";
  s.replaces = {&replaced_id, 1};
  CHECK(create(s, alice) == errc::session_limit);
  CHECK(find("old") == outcome::found);
  CHECK(find("foreign") == outcome::found);
  CHECK_FALSE(exists("session:new"));
}

TEST_CASE_METHOD(limited, "what has expired, is marked, or is another's does not count") {
  limit(1, config::limit_action::deny);
  made("marked", 1h);
  CHECK(revoke("42", "session:marked") == 1);
  made("other", 1h, "43");
  ask({"SADD", "user:42:sessions", "session:gone", "session:marked", "session:other"});
  CHECK_FALSE(create("new", alice));
  CHECK(members("user:42:sessions") == std::set<std::string>{"session:new"});
  CHECK(find("other") == outcome::found);
}

TEST_CASE_METHOD(limited, "what is past its absolute limit takes no place, and is not listed") {
  limit(1, config::limit_action::deny);
  made("over", 13h);
  ask({"HSET", "session:own", "userId", "42", "doorward.absoluteUntil", std::to_string(wall_now() - 1000)});
  ask({"SADD", "user:42:sessions", "session:own"});
  CHECK(list("42").empty());
  made("over", 13h);
  CHECK_FALSE(create("new", alice));
  CHECK(list("42").size() == 1);
}

namespace {

/// A store whose users may have so many sessions on one class of device.
struct by_device : limited {
  void most(unsigned per_device, unsigned per_user = 0,
            config::limit_action when_full = config::limit_action::displace_oldest) {
    config.limit = {per_user, per_device, when_full};
    make_stores();
  }
  void made_on(std::string const& id, std::string const& device, milliseconds age) {
    made(id, age);
    if (!device.empty()) ask({"HSET", "session:" + id, "doorward.deviceClass", device});
  }
  error_code log_in(std::string const& id, std::string_view device) {
    session::new_session s;
    s.id = id;
    s.device_class = device;
    return create(s, alice);
  }
};

}  // namespace

TEST_CASE_METHOD(by_device, "one session more on a class of device: the oldest of that class goes") {
  most(1);
  made_on("phone", "phone", 1h);
  made_on("computer", "computer", 5h);
  CHECK_FALSE(log_in("new", "phone"));
  CHECK(displaced == 1);
  CHECK(find("phone") == outcome::displaced);
  CHECK(find("computer") == outcome::found);
  CHECK(hash("session:new")["doorward.deviceClass"] == "phone");
}

TEST_CASE_METHOD(by_device, "a session that does not say its class is of the class other") {
  most(1);
  made_on("silent", "", 1h);
  CHECK_FALSE(log_in("phone", "phone"));
  CHECK(displaced == 0);
  CHECK_FALSE(log_in("curl", "other"));
  CHECK(find("silent") == outcome::displaced);
  CHECK_FALSE(log_in("wget", ""));  // so does a login that says nothing
  CHECK(find("curl") == outcome::displaced);
}

TEST_CASE_METHOD(by_device, "both limits: what goes for the class counts for all") {
  most(2, 3);
  made_on("phone1", "phone", 1h);
  made_on("phone2", "phone", 2h);
  made_on("computer", "computer", 9h);
  SECTION("the class is full, and with it the user") {
    CHECK_FALSE(log_in("new", "phone"));
    CHECK(displaced == 1);
    CHECK(find("phone2") == outcome::displaced);
    CHECK(find("computer") == outcome::found);
  }
  SECTION("the user is, the class is not") {
    CHECK_FALSE(log_in("new", "computer"));
    CHECK(displaced == 1);
    CHECK(find("computer") == outcome::displaced);
    CHECK(find("phone2") == outcome::found);
  }
  SECTION("limits that came later") {
    most(1, 1);
    CHECK_FALSE(log_in("new", "phone"));
    CHECK(displaced == 3);
    CHECK(members("user:42:sessions") == std::set<std::string>{"session:new"});
  }
}

TEST_CASE_METHOD(by_device, "a full class of device, and the newest is denied") {
  most(1, 0, config::limit_action::deny);
  made_on("phone", "phone", 1h);
  CHECK(log_in("new", "phone") == errc::session_limit);
  CHECK(find("phone") == outcome::found);
  CHECK_FALSE(exists("session:new"));
  CHECK_FALSE(log_in("desk", "computer"));
  session::new_session s;
  s.id = "again";
  s.device_class = "phone";
  std::string_view const replaced_id = "phone";
  s.replaces = {&replaced_id, 1};
  CHECK_FALSE(create(s, alice));
}

TEST_CASE_METHOD(by_device, "a login that ends the others asks for no limit") {
  most(1, 0, config::limit_action::deny);
  made_on("phone", "phone", 1h);
  session::new_session s;
  s.id = "new";
  s.device_class = "phone";
  s.revoke_others = true;
  CHECK_FALSE(create(s, alice));
  CHECK(revoked == 1);
  CHECK(displaced == 0);
}

TEST_CASE_METHOD(store_fixture, "what is noted of a login's device, and a grant that would have a say in it") {
  session::new_session s;
  s.id = "a";
  s.agent = "0123456789abcdef";
  s.device_class = "tablet";
  CHECK_FALSE(create(s, {{"userId", "42"}, {"doorward.agent", "mine"}, {"doorward.deviceClass", "mine"}}));
  auto fields = hash("session:a");
  CHECK(fields["doorward.agent"] == "0123456789abcdef");
  CHECK(fields["doorward.deviceClass"] == "tablet");
}

TEST_CASE_METHOD(store_fixture, "a user whose name is another's with something after it") {
  config.index = {"by-user/", ""};
  make_stores();
  CHECK_FALSE(create("a", alice));
  CHECK_FALSE(create("b", {{"userId", "42:ended"}}));
  CHECK(end_user("42") == 1);
  CHECK(list("42:ended").size() == 1);
  CHECK_FALSE(create("c", {{"userId", "42:ended"}}));
}

TEST_CASE_METHOD(store_fixture, "ending the others, and the one that asks stays") {
  for (auto const* id : {"a", "b", "c"})
    CHECK_FALSE(create(id, alice));
  CHECK_FALSE(create("x", {{"userId", "43"}}));
  CHECK(end_others("b") == 2);
  CHECK(find("b") == outcome::found);
  CHECK(find("a") == outcome::revoked);
  CHECK(find("x") == outcome::found);
  CHECK(members("user:42:sessions") == std::set<std::string>{"session:b"});
  CHECK(end_others("b") == 0);
}

TEST_CASE_METHOD(store_fixture, "ending a user's sessions by the user's name") {
  CHECK_FALSE(create("a", alice));
  CHECK_FALSE(create("b", alice));
  CHECK_FALSE(create("x", {{"userId", "43"}}));
  CHECK(end_user("42") == 2);
  CHECK(find("a") == outcome::revoked);
  CHECK(find("x") == outcome::found);
  CHECK(end_user("42") == 0);
  CHECK(end_user("nobody") == 0);
}

TEST_CASE_METHOD(store_fixture, "revoking one session, of its own user only") {
  CHECK_FALSE(create("a", alice));
  CHECK(revoke("43", "session:a") == 0);
  CHECK(find("a") == outcome::found);
  CHECK(revoke("42", "session:a") == 1);
  CHECK(find("a") == outcome::revoked);
  CHECK(revoke("42", "session:a") == 0);
}

TEST_CASE_METHOD(store_fixture, "the mark of an ended session goes by itself, and by a log-out") {
  CHECK_FALSE(create("a", alice));
  CHECK(revoke("42", "session:a") == 1);
  CHECK(near(number({"PTTL", "session:a"}), 15LL * 60 * 1000));
  touch("a");
  CHECK(find("a") == outcome::revoked);
  CHECK(end("a") == 0);
  CHECK(find("a") == outcome::absent);
}

TEST_CASE_METHOD(store_fixture, "a list of sessions") {
  session::new_session s;
  s.id = "a";
  s.address = "192.0.2.1";
  s.device = "Firefox on Linux";
  CHECK_FALSE(create(s, alice));
  CHECK_FALSE(create("x", {{"userId", "43"}}));
  ask({"HSET", "session:b", "userId", "42", "lastSeen", "99999999999999"});  // somebody else wrote it
  ask({"SADD", "user:42:sessions", "session:b", "session:gone", "session:x"});

  auto const all = list("42");
  REQUIRE(all.size() == 2);
  CHECK(all[0].key == "session:b");
  CHECK_FALSE(all[0].created);
  CHECK(all[0].last_seen == 99'999'999'999'999);
  CHECK_FALSE(all[0].left);
  CHECK(all[1].key == "session:a");
  CHECK(near(*all[1].created, wall_now() + 1));
  CHECK(near(all[1].left->count(), 30LL * 60 * 1000));
  CHECK(all[1].address == "192.0.2.1");
  CHECK(all[1].device == "Firefox on Linux");
  CHECK(all[1].handle.size() == 22);
  CHECK(all[1].handle == session::handle_of("session:a"));
  CHECK(all[1].handle != all[0].handle);
  CHECK(members("user:42:sessions") == std::set<std::string>{"session:a", "session:b"});
  CHECK(list("nobody").empty());
}

TEST_CASE_METHOD(store_fixture, "more sessions than are listed") {
  for (int i = 0; i < 200; ++i) {
    auto const id = std::to_string(1000 + i);
    ask({"HSET", "session:" + id, "userId", "42", "lastSeen", "1700000000" + id.substr(1)});
    ask({"SADD", "user:42:sessions", "session:" + id});
  }
  auto const all = list("42");
  REQUIRE(all.size() == session::store::most_listed);
  CHECK(all.front().key == "session:1199");
}

TEST_CASE_METHOD(store_fixture, "a login that began before a log-out everywhere is not written after it") {
  CHECK_FALSE(create("a", alice));
  session::new_session s;
  s.id = "late";
  s.began_ago = 1s;
  SECTION("all of them") {
    CHECK(end_all("a") == 1);
  }
  SECTION("the others") {
    CHECK(end_others("a") == 0);
  }
  SECTION("by an operator") {
    CHECK(end_user("42") == 1);
  }
  CHECK(create(s, alice) == errc::session_revoked);
  CHECK_FALSE(exists("session:late"));
  CHECK_FALSE(create(s, {{"userId", "43"}}));  // of another user it is no business
  s.id = "later";
  s.began_ago = milliseconds{-1000};  // began a second from now
  CHECK_FALSE(create(s, alice));
}

TEST_CASE_METHOD(store_fixture, "what an index may be, and what of it is believed") {
  CHECK_FALSE(create("a", alice));
  ask({"SET", "session:ended:42", "x"});  // no time at all
  CHECK_FALSE(create("b", alice));
  ask({"DEL", "user:42:sessions"});
  ask({"SET", "user:42:sessions", "x"});
  CHECK(list("42").empty());
  CHECK(end_user("42") == 0);
  CHECK(find("a") == outcome::found);
}
