#include "doorward/auth/failed_logins.hpp"

#include "catch.hpp"

using namespace doorward;
using namespace std::chrono_literals;
using auth::failed_logins;

namespace {

failed_logins::key key_of(unsigned n) {
  failed_logins::key k{};
  std::memcpy(k.data(), &n, sizeof n);
  return k;
}

auto const alice = key_of(1);
auto const bob = key_of(2);
time_point const start{1h};

/// Fails `n` times at `at`; the length of the last ban.
milliseconds fail(failed_logins& f, failed_logins::key const& who, unsigned n, time_point at) {
  milliseconds ban{};
  for (unsigned i = 0; i < n; ++i)
    ban = f.count(who, at);
  return ban;
}

}  // namespace

TEST_CASE("failures up to the limit lead to a ban, of who failed alone") {
  failed_logins f({3, 1min, 5min});
  CHECK(fail(f, alice, 2, start) == 0ms);
  CHECK(f.banned_for(alice, start) == 0ms);
  CHECK(f.count(alice, start + 59s) == 5min);
  CHECK(f.banned_for(alice, start + 59s) == 5min);
  CHECK(f.banned_for(alice, start + 60s) == 5min - 1s);
  CHECK(f.banned_for(bob, start + 60s) == 0ms);
  CHECK(f.banned_for(alice, start + 59s + 5min) == 0ms);
}

TEST_CASE("failures of another window do not count") {
  failed_logins f({3, 1min, 5min});
  fail(f, alice, 2, start);
  CHECK(fail(f, alice, 2, start + 1min) == 0ms);
  CHECK(f.count(alice, start + 1min) == 5min);
}

TEST_CASE("each ban is twice as long as the one before, up to a day") {
  failed_logins f({1, 1min, 5min});
  auto now = start;
  auto expected = milliseconds(5min);
  for (int i = 0; i < 12; ++i) {
    CAPTURE(i);
    CHECK(f.count(alice, now) == expected);
    now += expected;
    expected = std::min(2 * expected, milliseconds(24h));
  }
  CHECK(expected == 24h);
}

TEST_CASE("a configured ban of more than a day stays as long as it is") {
  failed_logins f({1, 1min, 48h});
  CHECK(f.count(alice, start) == 48h);
  CHECK(f.count(alice, start + 48h) == 48h);
}

TEST_CASE("who has been quiet for as long as the last ban took begins anew") {
  failed_logins f({1, 1min, 5min});
  CHECK(f.count(alice, start) == 5min);
  CHECK(f.count(alice, start + 5min) == 10min);
  SECTION("quiet") {
    CHECK(f.count(alice, start + 15min + 10min) == 5min);
  }
  SECTION("not quite") {
    CHECK(f.count(alice, start + 15min + 10min - 1s) == 20min);
  }
}

TEST_CASE("failures that come during a ban, having been on their way, change nothing") {
  failed_logins f({3, 1min, 5min});
  fail(f, alice, 3, start);
  CHECK(fail(f, alice, 20, start + 1s) == 0ms);
  CHECK(f.banned_for(alice, start + 5min) == 0ms);
  CHECK(fail(f, alice, 2, start + 5min) == 0ms);
  CHECK(f.count(alice, start + 5min) == 10min);
}

TEST_CASE("a success starts from nothing") {
  failed_logins f({3, 1min, 5min});
  fail(f, alice, 2, start);
  f.forget(alice);
  CHECK(fail(f, alice, 2, start) == 0ms);
  CHECK(f.size() == 1);
}

TEST_CASE("a limit of zero counts nothing") {
  failed_logins f({0, 1min, 5min});
  CHECK(fail(f, alice, 100, start) == 0ms);
  CHECK(f.banned_for(alice, start) == 0ms);
  CHECK(f.size() == 0);
}

TEST_CASE("memory is bounded, and the banned stay longest") {
  failed_logins f({2, 1min, 5min}, 10);
  fail(f, alice, 2, start);
  for (unsigned n = 100; n < 200; ++n)
    fail(f, key_of(n), 1, start + 1s);
  CHECK(f.size() == 10);
  CHECK(f.banned_for(alice, start + 1s) > 0ms);
}

TEST_CASE("many banned ones stand in the way of one that is not") {
  failed_logins f({2, 1min, 5min}, 40);
  for (unsigned n = 0; n < 39; ++n)
    fail(f, key_of(1000 + n), 2, start);
  fail(f, alice, 1, start + 1s);
  for (unsigned n = 0; n < 10; ++n)
    fail(f, key_of(2000 + n), 1, start + 2s);
  CHECK(f.size() <= 40);
  unsigned banned = 0;
  for (unsigned n = 0; n < 39; ++n)
    banned += f.banned_for(key_of(1000 + n), start + 2s) > 0ms ? 1U : 0U;
  CHECK(banned == 39);
}

TEST_CASE("what is forgotten leaves the memory") {
  failed_logins f({2, 1min, 5min});
  for (unsigned n = 100; n < 200; ++n)
    fail(f, key_of(n), 1, start);
  for (unsigned n = 0; n < 60; ++n)
    fail(f, alice, 1, start + 2min + n * 6min);
  CHECK(f.size() == 1);
}
