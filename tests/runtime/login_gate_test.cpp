#include "doorward/runtime/login_gate.hpp"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "doorward/net/task.hpp"
#include "event_loop.hpp"

using namespace doorward;
using namespace std::chrono_literals;
using runtime::login_gate;

namespace {

/// A worker's loop, clock and turns.
struct loop {
  net::asio::io_context context;
  net::turn_queue turns{context};
  test::mock_clock clock;

  void settle() { test::settle(context); }
  void pass(milliseconds by) { clock.pass(context, by); }
};

/// One who comes to the gate, and waits there if need be, for as long as this lives.
struct visitor {
  visitor(login_gate& g, loop& l, login_gate::client const& who = {})
      : mine(l), visit(std::in_place, g, l.turns, l.clock.wheel, who) {
    entered = visit->enter();
  }
  ~visitor() {
    if (waiting) {
      mine.turns.context().restart();
      mine.pass(1h);
    }
  }

  void wait(milliseconds longest) {
    waiting = true;
    net::spawn([](visitor& v, milliseconds until) -> net::task<> {
      co_await v.visit->called(v.mine.clock.wheel.now() + until);
      v.waiting = false;
    }(*this, longest));
  }
  [[nodiscard]] bool in() const { return visit->admitted(); }
  void leave() { visit->leave(); }

  loop& mine;
  std::optional<login_gate::visit> visit;
  bool entered = false;
  bool waiting = false;
};

bool is(login_gate& g, std::size_t in_flight, std::size_t queued) {
  auto const c = g.now();
  CAPTURE(c.in_flight, c.queued);
  CHECK(c.in_flight == in_flight);
  CHECK(c.queued == queued);
  return c.in_flight == in_flight && c.queued == queued;
}

}  // namespace

TEST_CASE("so many go in, so many wait, and the rest are turned away") {
  loop l;
  login_gate g(2, 1);
  visitor a(g, l), b(g, l), c(g, l), d(g, l);
  CHECK((a.in() && b.in()));
  CHECK((c.entered && !c.in()));
  CHECK(!d.entered);
  CHECK(is(g, 2, 1));
}

TEST_CASE("a place goes to who has waited longest") {
  loop l;
  login_gate g(1, 10);
  visitor a(g, l), b(g, l), c(g, l);
  b.wait(10s);
  c.wait(10s);
  a.leave();
  l.settle();
  CHECK((b.in() && !b.waiting));
  CHECK((!c.in() && c.waiting));
  b.leave();
  l.settle();
  CHECK((c.in() && !c.waiting));
  c.leave();
  CHECK(is(g, 0, 0));
}

TEST_CASE("to leave twice gives back one place") {
  loop l;
  login_gate g(1, 10);
  visitor a(g, l);
  a.leave();
  visitor b(g, l), c(g, l);
  a.leave();
  l.settle();
  CHECK(!c.in());
  CHECK(is(g, 1, 1));
}

TEST_CASE("a wait ends in time, and the place in line stays") {
  loop l;
  login_gate g(1, 10);
  visitor a(g, l), b(g, l);
  b.wait(1s);
  l.pass(1100ms);
  CHECK((!b.waiting && !b.in()));
  CHECK(is(g, 1, 1));
  a.leave();
  l.settle();
  CHECK(b.in());
}

TEST_CASE("who leaves the line is not called") {
  loop l;
  login_gate g(1, 10);
  visitor a(g, l);
  {
    visitor b(g, l);
    CHECK(is(g, 1, 1));
  }
  CHECK(is(g, 1, 0));
  a.leave();
  l.settle();
  CHECK(is(g, 0, 0));
}

TEST_CASE("who leaves before the call comes through passes the place on") {
  loop l;
  login_gate g(1, 10);
  visitor a(g, l);
  std::optional<visitor> b(std::in_place, g, l);
  visitor c(g, l);
  a.leave();
  b.reset();
  l.settle();
  CHECK(c.in());
  CHECK(is(g, 1, 0));
}

TEST_CASE("called and out of time in the same turn: it is in") {
  loop l;
  login_gate g(1, 10);
  visitor a(g, l), b(g, l);
  b.wait(1s);
  a.leave();
  l.pass(2s);
  CHECK((b.in() && !b.waiting));
}

TEST_CASE("a place is handed to another worker on that worker's own thread") {
  loop one, two;
  login_gate g(1, 10);
  visitor a(g, one), b(g, two);
  b.wait(10s);
  a.leave();
  one.settle();
  CHECK(!b.in());
  CHECK(is(g, 1, 0));  // it is taken all the same
  two.settle();
  CHECK((b.in() && !b.waiting));
}

TEST_CASE("a worker at its end sends its own away, and nobody else") {
  loop one, two;
  login_gate g(1, 10);
  visitor a(g, one), b(g, one), c(g, two);
  b.wait(10s);
  c.wait(10s);
  g.dismiss(one.turns);
  one.settle();
  CHECK((!b.waiting && !b.in() && b.visit->dismissed()));
  CHECK(is(g, 1, 1));
  a.leave();
  two.settle();
  CHECK(c.in());
}

TEST_CASE("a full line: who has fewer in it takes the place of the last of who has most") {
  loop l;
  login_gate g(1, 3);
  login_gate::client const greedy{1};
  login_gate::client const modest{2};
  visitor in(g, l, greedy), a(g, l, greedy), b(g, l, greedy), c(g, l, greedy);
  c.wait(10s);
  visitor more(g, l, greedy);
  CHECK(!more.entered);
  visitor m(g, l, modest);
  CHECK(m.entered);
  l.settle();
  CHECK((c.visit->dismissed() && !c.waiting && !c.in()));
  CHECK(!a.visit->dismissed());
  CHECK(is(g, 1, 3));
  visitor m2(g, l, modest);  // two against one would be no fairer
  CHECK(!m2.entered);
  in.leave();
  l.settle();
  CHECK(a.in());
}

TEST_CASE("a gate that is closed calls nobody, and lets nobody in") {
  loop l;
  login_gate g(1, 3);
  visitor a(g, l), b(g, l), c(g, l);
  b.wait(10s);
  a.leave();  // b is called, and the call is on its way
  g.close();
  l.settle();
  CHECK((!b.in() && !b.waiting && b.visit->dismissed()));
  b.leave();
  CHECK(is(g, 0, 1));
  visitor d(g, l);
  CHECK(!d.entered);
}

TEST_CASE("no line at all") {
  loop l;
  login_gate g(1, 0);
  visitor a(g, l), b(g, l);
  CHECK(a.in());
  CHECK(!b.entered);
}

namespace {

// Comes and goes, again and again, and counts who is in at once.
net::task<> come_and_go(login_gate& g, loop& l, std::atomic<int>& in, std::atomic<int>& most, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    login_gate::visit v(g, l.turns, l.clock.wheel);
    if (!v.enter()) continue;
    co_await v.called(time_point::max());
    auto const now = ++in;
    for (auto seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    co_await l.turns.next();
    --in;
    v.leave();
    co_await l.turns.next();
  }
}

}  // namespace

TEST_CASE("two threads, forty visitors, three places") {
  login_gate g(3, 100);
  std::atomic<int> in = 0;
  std::atomic<int> most = 0;
  auto const work = [&] {
    loop l;
    int running = 0;
    auto const until_done = boost::asio::make_work_guard(l.context);
    for (int i = 0; i < 20; ++i) {
      ++running;
      net::spawn([](net::task<> t, loop& mine, int& left) -> net::task<> {
        co_await std::move(t);
        if (--left == 0) mine.context.stop();
      }(come_and_go(g, l, in, most, 200), l, running));
    }
    l.context.run();
    net::release_frames();
  };
  std::thread one(work), two(work);
  one.join();
  two.join();
  CHECK(most <= 3);
  CHECK(most > 0);
  CHECK(is(g, 0, 0));
}
