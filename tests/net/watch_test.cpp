#include <array>
#include <optional>
#include <string>

#include "catch.hpp"
#include "doorward/net/stream.hpp"
#include "event_loop.hpp"
#include "stream_pair.hpp"

namespace {

using namespace std::chrono_literals;
using namespace doorward;
using namespace doorward::test;

struct bench {
  net::asio::io_context context;
  mock_clock clock;
  stream_pair pair{context};
  net::watch watch{clock.wheel};
  /// What the last wait said; empty while it waits.
  std::optional<bool> said;

  ~bench() {
    watch.interrupt();  // whoever still waits comes to its end
    settle(context);
  }
  void pass(milliseconds by) { clock.pass(context, by); }
  void wait(milliseconds timeout, bool write = false) {
    said.reset();
    net::spawn([](bench& b, milliseconds t, bool w) -> net::task<> {
      if (w) {
        bool const in_time = co_await b.pair.stream.writable(b.watch, t);
        b.said = in_time;
      } else {
        bool const in_time = co_await b.pair.stream.readable(b.watch, t);
        b.said = in_time;
      }
    }(*this, timeout, write));
  }
  void take() {
    std::array<char, 8> room{};
    (void)pair.stream.try_read(room);
  }
  bool waits() {
    settle(context);
    return !said.has_value();
  }
};

}  // namespace

TEST_CASE("waiting to read, data comes") {
  bench b;
  b.wait(1s);
  REQUIRE(b.waits());
  b.pair.peer.write("x");
  settle(b.context);
  CHECK(b.said == true);
}

TEST_CASE("waiting to read, the time passes: not early, and at most two ticks late") {
  bench b;
  b.wait(1s);
  b.pass(999ms);
  CHECK(b.waits());
  b.pass(1ms + deadline_wheel::tick);
  CHECK(b.said == false);
}

TEST_CASE("waiting to write, there is room") {
  bench b;
  b.wait(1s, true);
  settle(b.context);
  CHECK(b.said == true);
}

TEST_CASE("waiting to write, there is none until the peer reads") {
  bench b;
  std::string const much(256 * 1024, 'x');
  (void)b.pair.stream.try_write(much);
  b.wait(1s, true);
  b.pass(500ms);
  REQUIRE(b.waits());
  (void)b.pair.peer.read();
  settle(b.context);
  CHECK(b.said == true);
}

TEST_CASE("waiting to write, the peer never reads") {
  bench b;
  std::string const much(256 * 1024, 'x');
  (void)b.pair.stream.try_write(much);
  b.wait(1s, true);
  b.pass(1s + deadline_wheel::tick);
  CHECK(b.said == false);
}

TEST_CASE("after a wait whose time passed, the next one has its own") {
  bench b;
  b.wait(200ms);
  b.pass(300ms);
  REQUIRE(b.said == false);
  b.wait(200ms);
  REQUIRE(b.waits());
  b.pair.peer.write("x");
  settle(b.context);
  CHECK(b.said == true);
}

TEST_CASE("after a wait that ended early, its deadline does not strike the next one") {
  bench b;
  b.wait(200ms);
  b.pair.peer.write("x");
  settle(b.context);
  REQUIRE(b.said == true);
  b.take();
  b.wait(10s);
  b.pass(5s);
  CHECK(b.waits());
}

TEST_CASE("no time given, it waits for ever") {
  bench b;
  b.wait(milliseconds::max());
  b.pass(60s);
  CHECK(b.waits());
}

TEST_CASE("limit, it outranks a longer time, and also none at all") {
  auto const timeout = GENERATE(milliseconds{10'000}, milliseconds::max());
  bench b;
  b.watch.limit(b.clock.now + 1s);
  b.wait(timeout);
  b.pass(950ms);
  CHECK(b.waits());
  b.pass(100ms);
  CHECK(b.said == false);
}

TEST_CASE("limit, a shorter time comes first") {
  bench b;
  b.watch.limit(b.clock.now + 10s);
  b.wait(100ms);
  b.pass(200ms);
  CHECK(b.said == false);
}

TEST_CASE("limit, it holds for all waits together") {
  bench b;
  b.watch.limit(b.clock.now + 1s);
  for (int i = 0; i < 3; ++i) {
    b.wait(10s);
    b.pass(300ms);
    b.pair.peer.write("x");
    settle(b.context);
    REQUIRE(b.said == true);
    b.take();
  }
  b.wait(10s);
  b.pass(150ms);
  CHECK(b.said == false);
}

TEST_CASE("limit, long past: a wait ends with the next tick") {
  bench b;
  b.watch.limit(b.clock.now - 1s);
  b.wait(10s);
  b.pass(deadline_wheel::tick);
  CHECK(b.said == false);
}

TEST_CASE("limit, whether it has passed") {
  bench b;
  CHECK_FALSE(b.watch.limit_passed());
  b.watch.limit(b.clock.now + 1s);
  CHECK_FALSE(b.watch.limit_passed());
  b.pass(950ms);
  CHECK_FALSE(b.watch.limit_passed());
  b.pass(50ms);
  CHECK(b.watch.limit_passed());
}

TEST_CASE("limit, lifted again") {
  bench b;
  b.watch.limit(b.clock.now + 1s);
  b.watch.limit(time_point::max());
  b.wait(milliseconds::max());
  b.pass(5s);
  CHECK(b.waits());
}

TEST_CASE("interrupted in a wait, it ends as if its time were over") {
  bench b;
  b.wait(10s);
  REQUIRE(b.waits());
  b.watch.interrupt();
  settle(b.context);
  CHECK(b.said == false);
}

TEST_CASE("interrupted before, every wait ends before it begins") {
  bench b;
  b.pair.peer.write("there already");
  b.watch.interrupt();
  b.wait(10s);
  CHECK(b.said == false);
  b.wait(10s, true);
  CHECK(b.said == false);
}

TEST_CASE("interrupted once it had nothing to wait for, nothing else is disturbed") {
  bench b;
  net::watch other(b.clock.wheel);
  b.wait(10s);
  other.interrupt();
  CHECK(b.waits());
}

TEST_CASE("cancelled, it says: try again") {
  bench b;
  b.wait(10s);
  REQUIRE(b.waits());
  SECTION("by cancel") {
    b.pair.stream.cancel();
  }
  SECTION("by close") {
    b.pair.stream.close();
  }
  SECTION("by shutdown") {
    b.pair.stream.shutdown();
  }
  settle(b.context);
  CHECK(b.said == true);
}
