#include "doorward/base/deadline_wheel.hpp"

#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "catch.hpp"

namespace {

using namespace std::chrono_literals;
using doorward::deadline_entry;
using doorward::deadline_wheel;
using doorward::time_point;

struct alarm final : deadline_entry {
  std::function<void()> then;
  int fired = 0;

  void on_deadline() noexcept override {
    ++fired;
    if (then) then();
  }
};

// A wheel and the clock it is told, which does not start on a tick.
struct worker {
  time_point now{std::chrono::hours(1000) + 17ms};
  deadline_wheel wheel{now};

  // Ticks as a worker's timer does, up to `by` later.
  void pass(doorward::milliseconds by) {
    for (auto const end = now + by; now < end;) {
      now = std::min(end, now + deadline_wheel::tick);
      wheel.advance(now);
    }
  }
};

TEST_CASE("deadline, fires once, never early and at most a tick late") {
  auto const in = GENERATE(0ms, 1ms, 49ms, 50ms, 51ms, 999ms, 1000ms, 12'750ms, 12'800ms, 12'850ms, 60'000ms);
  CAPTURE(in.count());
  worker w;
  alarm a;
  auto const at = w.now + in;
  w.wheel.arm(a, at);
  while (a.fired == 0) {
    w.pass(1ms);
    if (w.now < at) REQUIRE(a.fired == 0);
    REQUIRE(w.now <= at + deadline_wheel::tick + 1ms);
  }
  w.pass(30s);
  CHECK(a.fired == 1);
}

TEST_CASE("deadline, not armed or disarmed") {
  worker w;
  alarm never;
  alarm disarmed;
  w.wheel.arm(disarmed, w.now + 100ms);
  w.wheel.disarm(disarmed);
  w.wheel.disarm(never);
  w.pass(30s);
  CHECK(never.fired == 0);
  CHECK(disarmed.fired == 0);
  w.wheel.arm(disarmed, w.now + 100ms);
  w.pass(200ms);
  CHECK(disarmed.fired == 1);
}

TEST_CASE("deadline, disarmed and armed again before its slot came round") {
  worker w;
  alarm a;
  w.wheel.arm(a, w.now + 100ms);
  w.wheel.disarm(a);
  w.wheel.arm(a, w.now + 300ms);
  w.pass(299ms);
  CHECK(a.fired == 0);
  w.pass(60ms);
  CHECK(a.fired == 1);
}

TEST_CASE("deadline, put off again and again") {
  worker w;
  alarm a;
  for (int i = 0; i < 100; ++i) {
    w.wheel.arm(a, w.now + 200ms);
    w.pass(150ms);
  }
  CHECK(a.fired == 0);
  w.pass(120ms);
  CHECK(a.fired == 1);
}

TEST_CASE("deadline, brought forward") {
  worker w;
  alarm a;
  w.wheel.arm(a, w.now + 60s);
  w.wheel.arm(a, w.now + 100ms);
  w.pass(151ms);
  CHECK(a.fired == 1);
  w.pass(70s);
  CHECK(a.fired == 1);
}

TEST_CASE("deadline, armed in the past fires on the next tick") {
  worker w;
  alarm a;
  w.wheel.arm(a, w.now - 1h);
  CHECK(a.fired == 0);
  w.pass(51ms);
  CHECK(a.fired == 1);
}

TEST_CASE("deadline, gone before it is due") {
  worker w;
  auto a = std::make_unique<alarm>();
  w.wheel.arm(*a, w.now + 100ms);
  a.reset();
  w.pass(1s);  // the sanitizers say whether it was touched
}

TEST_CASE("deadline, arms itself again when it fires") {
  worker w;
  alarm a;
  a.then = [&] { w.wheel.arm(a, w.wheel.now() + 100ms); };
  w.wheel.arm(a, w.now + 100ms);
  w.pass(10s);
  CHECK(a.fired >= 66);  // a period of 100 ms and at most one tick
  CHECK(a.fired <= 100);
}

TEST_CASE("deadline, arms itself in the past when it fires and does not spin") {
  worker w;
  alarm a;
  a.then = [&] { w.wheel.arm(a, w.wheel.now()); };
  w.wheel.arm(a, w.now);
  w.wheel.advance(w.now + deadline_wheel::tick);
  CHECK(a.fired == 1);
}

TEST_CASE("deadline, one that fires ends its neighbours") {
  worker w;
  auto first = std::make_unique<alarm>();
  auto second = std::make_unique<alarm>();
  auto third = std::make_unique<alarm>();
  auto const at = w.now + 100ms;
  w.wheel.arm(*first, at);
  w.wheel.arm(*second, at);
  w.wheel.arm(*third, at);
  first->then = [&] {
    second.reset();
    w.wheel.disarm(*third);
  };
  w.pass(1s);
  CHECK(first->fired == 1);
  CHECK(third->fired == 0);
}

TEST_CASE("deadline, the clock stood still for long") {
  worker w;
  alarm soon;
  alarm late;
  alarm later;
  w.wheel.arm(soon, w.now + 100ms);
  w.wheel.arm(late, w.now + 59s);
  w.wheel.arm(later, w.now + 61s);
  w.now += 60s;
  w.wheel.advance(w.now);
  CHECK(soon.fired == 1);
  CHECK(late.fired == 1);
  CHECK(later.fired == 0);
  w.pass(1100ms);
  CHECK(later.fired == 1);
}

TEST_CASE("deadline, a clock that goes back changes nothing") {
  worker w;
  alarm a;
  w.wheel.arm(a, w.now + 100ms);
  w.wheel.advance(w.now - 10s);
  CHECK(w.wheel.now() == w.now);
  CHECK(a.fired == 0);
  w.pass(151ms);
  CHECK(a.fired == 1);
}

TEST_CASE("deadline, the wheel's time is that of its last advance") {
  worker w;
  CHECK(w.wheel.now() == w.now);
  w.wheel.advance(w.now + 123ms);
  CHECK(w.wheel.now() == w.now + 123ms);
}

TEST_CASE("deadline, many at random agree with a plain list") {
  std::minstd_rand random(7);
  worker w;
  struct expectation {
    alarm a;
    time_point at = time_point::max();
    int due = 0;
  };
  std::vector<expectation> all(200);
  for (int step = 0; step < 5000; ++step) {
    auto& one = all[random() % all.size()];
    if (random() % 5 == 0) {
      w.wheel.disarm(one.a);
      one.at = time_point::max();
    } else {
      one.at = w.now + doorward::milliseconds(random() % 20'000);
      w.wheel.arm(one.a, one.at);
    }
    w.pass(doorward::milliseconds(random() % 120));
    for (auto& e : all) {
      if (e.at != time_point::max() && e.a.fired == e.due + 1) {  // fired: must have been due
        REQUIRE(e.at <= w.now);
        ++e.due;
        e.at = time_point::max();
      }
      REQUIRE(e.a.fired == e.due);
      if (e.at != time_point::max()) REQUIRE(e.at + 2 * deadline_wheel::tick > w.now);  // not fired: not overdue
    }
  }
}

}  // namespace
