#include <algorithm>
#include <string>
#include <vector>

#include "catch.hpp"
#include "doorward/redis/error_kind.hpp"
#include "redis/pending_ring.hpp"
#include "redis/reconnect.hpp"
#include "redis/reply_builder.hpp"
#include "redis/resp.hpp"

using namespace doorward;
using namespace doorward::redis;
using namespace std::string_literals;
using kind = reply::kind;

TEST_CASE("a command in RESP: lengths are explicit, bytes are not looked at") {
  std::string out = "what was there before";
  auto const binary = "a\0b\r\n$3"s;
  std::string_view const argv[] = {"GET", "", binary};
  format_command(out, argv);
  CHECK(out == "*3\r\n$3\r\nGET\r\n$0\r\n\r\n$7\r\na\0b\r\n$3\r\n"s);
}

TEST_CASE("error replies are told apart by their first word") {
  struct row {
    std::string_view text;
    error_kind kind;
  };
  row const rows[] = {
      {"LOADING Redis is loading the dataset in memory", error_kind::loading},
      {"BUSY Redis is busy running a script", error_kind::busy},
      {"BUSYGROUP Consumer Group name already exists", error_kind::other},
      {"TRYAGAIN", error_kind::busy},
      {"MASTERDOWN Link with MASTER is down", error_kind::master_down},
      {"CLUSTERDOWN Hash slot not served", error_kind::master_down},
      {"OOM command not allowed", error_kind::out_of_memory},
      {"READONLY You can't write against a read only replica.", error_kind::readonly},
      {"NOAUTH Authentication required.", error_kind::auth},
      {"WRONGPASS invalid username-password pair", error_kind::auth},
      {"NOPERM this user has no permissions", error_kind::permission},
      {"MOVED 3999 127.0.0.1:6381", error_kind::moved},
      {"ASK 3999 127.0.0.1:6381", error_kind::moved},
      {"ERR unknown command", error_kind::other},
      {"loading", error_kind::other},
      {"", error_kind::other},
  };
  for (auto const& r : rows) {
    INFO(r.text);
    CHECK(classify(r.text) == r.kind);
  }
  CHECK(error_code_of("WRONGTYPE Operation against a key") == "WRONGTYPE");
  CHECK(error_code_of("not a code") == "");
}

TEST_CASE("every kind of error has its own name") {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < error_kinds; ++i) {
    auto const n = name(static_cast<error_kind>(i));
    CHECK(std::find(names.begin(), names.end(), n) == names.end());
    names.push_back(n);
  }
}

TEST_CASE("waits between attempts double up to the longest, and are jittered") {
  fast_random random{1};
  reconnect r{milliseconds{50}, milliseconds{900}, milliseconds{1000}};
  milliseconds step{50};
  bool differs = false;
  for (int i = 0; i < 12; ++i) {
    auto const wait = r.next(random);
    CHECK(wait >= step / 2);
    CHECK(wait <= step);
    differs = differs || wait != step;
    step = std::min(2 * step, milliseconds{900});
  }
  CHECK(differs);
}

TEST_CASE("a connection that held starts the waits anew, one that was hung up on does not") {
  fast_random random{1};
  reconnect r{milliseconds{50}, milliseconds{900}, milliseconds{1000}};
  for (int i = 0; i < 6; ++i)
    (void)r.next(random);
  SECTION("hung up on") {
    r.ended_after(milliseconds{999});
    CHECK(r.next(random) > milliseconds{50});
  }
  SECTION("held") {
    r.ended_after(milliseconds{1000});
    CHECK(r.next(random) <= milliseconds{50});
  }
}

TEST_CASE("commands leave the line in the order they came, through growth and wrapping") {
  pending_ring ring;
  CHECK(ring.empty());
  std::size_t in = 0, out = 0;
  auto const push = [&] { ring.push({time_point{milliseconds{in++}}, nullptr, pending_command::role::user}); };
  auto const pop = [&] { CHECK(ring.pop().deadline == time_point{milliseconds{out++}}); };
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 7; ++i)
      push();
    for (int i = 0; i < 5; ++i)
      pop();
  }
  CHECK(ring.size() == 100);
  while (!ring.empty())
    pop();
  CHECK(in == out);
}

TEST_CASE("commands whose time is up keep their place and are passed over") {
  pending_ring ring;
  for (int i = 0; i < 3; ++i)
    ring.push({time_point{milliseconds{i}}, nullptr, pending_command::role::user});
  ring.mark_overdue();
  ring.mark_overdue();
  REQUIRE(ring.oldest_in_time() != nullptr);
  CHECK(ring.oldest_in_time()->deadline == time_point{milliseconds{2}});
  (void)ring.pop();
  CHECK(ring.oldest_in_time()->deadline == time_point{milliseconds{2}});
  ring.mark_overdue();
  CHECK(ring.oldest_in_time() == nullptr);
  (void)ring.pop();
  (void)ring.pop();
  ring.push({time_point{milliseconds{9}}, nullptr, pending_command::role::user});
  CHECK(ring.oldest_in_time() == &ring.front());
}

TEST_CASE("a flat array of strings") {
  reply_builder b;
  std::string text = "user";
  REQUIRE(b.array(2, true));
  REQUIRE(b.text(kind::string, text, false));
  text = "####";  // the reader's buffer moves on
  REQUIRE(b.text(kind::string, "", false));
  auto const& r = b.finish();
  CHECK(r.type == kind::array);
  CHECK_FALSE(r.malformed);
  REQUIRE(r.items.size() == 2);
  CHECK(r.items[0] == "user");
  CHECK(r.items[1].empty());
}

TEST_CASE("an array that grows beyond the first buffer keeps its earlier items") {
  reply_builder b;
  REQUIRE(b.array(100, true));
  for (int i = 0; i < 100; ++i)
    REQUIRE(b.text(kind::string, std::string(1000, static_cast<char>('a' + i % 26)), false));
  auto const& r = b.finish();
  REQUIRE(r.items.size() == 100);
  for (int i = 0; i < 100; ++i)
    CHECK(r.items[static_cast<std::size_t>(i)] == std::string(1000, static_cast<char>('a' + i % 26)));
}

TEST_CASE("anything but strings inside an array makes it malformed, never partial") {
  reply_builder b;
  REQUIRE(b.array(3, true));
  REQUIRE(b.text(kind::string, "userId", false));
  SECTION("an integer") {
    REQUIRE(b.integer(42, false));
  }
  SECTION("a nil") {
    REQUIRE(b.nil(false));
  }
  SECTION("a status") {
    REQUIRE(b.text(kind::status, "OK", false));
  }
  SECTION("an error") {
    REQUIRE(b.text(kind::error, "ERR", false));
  }
  SECTION("an array") {
    REQUIRE(b.array(0, false));
  }
  REQUIRE(b.text(kind::string, "x", false));
  CHECK(b.finish().malformed);
  CHECK(b.finish().items.empty());
}

TEST_CASE("scalars, one after another") {
  reply_builder b;
  REQUIRE(b.array(1, true));
  REQUIRE(b.nil(false));
  REQUIRE(b.integer(-7, true));
  CHECK(b.finish().type == kind::integer);
  CHECK(b.finish().integer == -7);
  CHECK_FALSE(b.finish().malformed);
  REQUIRE(b.text(kind::error, "ERR no", true));
  CHECK(b.finish().type == kind::error);
  CHECK(b.finish().text == "ERR no");
  REQUIRE(b.nil(true));
  CHECK(b.finish().type == kind::nil);
  CHECK(b.finish().text.empty());
}

TEST_CASE("a reply beyond the first caps: walked over, nothing kept") {
  reply_builder b;
  SECTION("elements") {
    REQUIRE(b.array(1024, true));
    CHECK_FALSE(b.finish().oversized);
    REQUIRE(b.array(1025, true));
    for (int i = 0; i < 1025; ++i)
      REQUIRE(b.item("x"));
  }
  SECTION("elements of nested arrays count together") {
    REQUIRE(b.array(1000, true));
    REQUIRE(b.array(24, false));
    CHECK_FALSE(b.finish().oversized);
    REQUIRE(b.array(1025, true));
    REQUIRE(b.array(24, false));
    REQUIRE(b.item("x"));
  }
  SECTION("bytes of one string") {
    REQUIRE(b.text(kind::string, std::string(256 * 1024, 'x'), true));
    CHECK_FALSE(b.finish().oversized);
    REQUIRE(b.text(kind::string, std::string(256 * 1024 + 1, 'x'), true));
  }
  SECTION("bytes of all strings") {
    REQUIRE(b.array(4, true));
    REQUIRE(b.text(kind::string, std::string(200 * 1024, 'x'), false));
    REQUIRE(b.text(kind::string, std::string(56 * 1024, 'x'), false));
    CHECK_FALSE(b.finish().oversized);
    REQUIRE(b.text(kind::string, "x", false));
    REQUIRE(b.text(kind::string, "", false));
  }
  CHECK(b.finish().oversized);
  CHECK(b.finish().items.empty());
  CHECK(b.finish().text.empty());
  // The next one is read as ever.
  REQUIRE(b.array(1, true));
  REQUIRE(b.item("a"));
  CHECK_FALSE(b.finish().oversized);
  CHECK(b.finish().items.size() == 1);
}

TEST_CASE("a reply beyond the second caps: refused") {
  reply_builder b;
  SECTION("elements") {
    CHECK(b.array(65'536, true));
    CHECK_FALSE(b.array(65'537, true));
    CHECK_FALSE(b.array(2'147'483'647, true));
  }
  SECTION("elements of nested arrays count together") {
    REQUIRE(b.array(65'000, true));
    REQUIRE(b.array(536, false));
    CHECK_FALSE(b.array(1, false));
  }
  SECTION("bytes") {
    std::string const mib(1024 * 1024, 'x');
    REQUIRE(b.array(5, true));
    for (int i = 0; i < 4; ++i)
      REQUIRE(b.text(kind::string, mib, false));
    CHECK_FALSE(b.text(kind::string, "x", false));
  }
}
