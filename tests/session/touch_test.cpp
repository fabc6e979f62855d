#include "store_fixture.hpp"

using namespace doorward;
using namespace doorward::test;
using namespace std::chrono_literals;
using session::outcome;

TEST_CASE_METHOD(store_fixture, "a touch moves the time and the expiry") {
  CHECK_FALSE(create("id1", {{"userId", "42"}}));
  auto const now = wall_now();
  ask({"HSET", "session:id1", "lastSeen", std::to_string(now - 120'000)});
  ask({"PEXPIRE", "session:id1", "5000"});
  touch("id1");
  CHECK(store->touches().done == 1);
  CHECK(std::stoll(hash("session:id1").at("lastSeen")) >= now);
  CHECK(near(number({"PTTL", "session:id1"}), 30LL * 60 * 1000));
}

TEST_CASE_METHOD(store_fixture, "seen just now, says Redis: nothing to do") {
  CHECK_FALSE(create("id1", {{"userId", "42"}}));
  ask({"PEXPIRE", "session:id1", "5000"});
  touch("id1");
  CHECK(store->touches().skipped == 1);
  CHECK(number({"PTTL", "session:id1"}) <= 5000);
}

TEST_CASE_METHOD(store_fixture, "the expiry a touch sets") {
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

TEST_CASE_METHOD(store_fixture, "a session without a readable start gets its absolute limit at the first touch, once") {
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

TEST_CASE_METHOD(store_fixture, "a touch never makes a session of what is none") {
  auto const now = wall_now();
  bool there = true;
  bool ends = false;
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
    ends = true;
  }
  SECTION("a limit that cannot be read") {
    ask({"HSET", "session:id1", "userId", "42", "doorward.absoluteUntil", "x"});
  }
  touch("id1");
  CHECK(store->touches().gone == 1);
  CHECK(exists("session:id1") == there);
  if (ends) {
    CHECK(find("id1") == session::outcome::expired);
    CHECK(near(number({"PTTL", "session:id1"}), 15LL * 60 * 1000));
  } else if (there) {
    CHECK(number({"PTTL", "session:id1"}) == -1);
    if (ask({"TYPE", "session:id1"}).text == "hash") CHECK(number({"HEXISTS", "session:id1", "lastSeen"}) == 0);
  }
}
