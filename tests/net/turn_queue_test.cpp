#include "doorward/net/turn_queue.hpp"

#include <boost/asio/post.hpp>
#include <functional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "doorward/net/task.hpp"
#include "event_loop.hpp"

namespace {

namespace asio = boost::asio;
using doorward::net::turn_node;
using doorward::net::turn_queue;
using doorward::test::settle;
using lines = std::vector<std::string>;

struct node final : turn_node {
  std::function<void()> then;
  explicit node(std::function<void()> f) : then(std::move(f)) {}
  void on_turn() noexcept override { then(); }
};

struct bench {
  asio::io_context context;
  turn_queue turns{context};
  lines log;

  void note(std::string what) { log.push_back(std::move(what)); }
  void post(std::string what) {
    asio::post(context, [this, what] { note(what); });
  }
};

}  // namespace

TEST_CASE("pushed, it runs behind what is ready and before what comes later") {
  bench b;
  node n([&] { b.note("node"); });
  b.post("ready before");
  b.turns.push(n);
  b.post("posted after");
  CHECK(b.log.empty());
  settle(b.context);
  CHECK(b.log == lines{"ready before", "node", "posted after"});
}

TEST_CASE("several pushed, they run in order within one handler") {
  bench b;
  node first([&] { b.note("first"); });
  node second([&] { b.note("second"); });
  node third([&] { b.note("third"); });
  b.turns.push(first);
  b.turns.push(second);
  b.turns.push(third);
  CHECK(settle(b.context) == 1);
  CHECK(b.log == lines{"first", "second", "third"});
}

TEST_CASE("pushed twice, it runs once, at its first place") {
  bench b;
  node first([&] { b.note("first"); });
  node second([&] { b.note("second"); });
  b.turns.push(first);
  b.turns.push(second);
  b.turns.push(first);
  CHECK(settle(b.context) == 1);
  CHECK(b.log == lines{"first", "second"});
}

TEST_CASE("pushed while a turn runs, it waits for the next one") {
  bench b;
  node late([&] { b.note("late"); });
  node first([&] {
    b.note("first");
    b.post("ready by then");
    b.turns.push(late);
  });
  node second([&] { b.note("second"); });
  b.turns.push(first);
  b.turns.push(second);
  CHECK(settle(b.context) == 3);
  CHECK(b.log == lines{"first", "second", "ready by then", "late"});
}

TEST_CASE("pushes itself while it runs, others get their turn in between") {
  bench b;
  int left = 3;
  node again([&] {
    b.note("again");
    b.post("other");
    if (--left > 0) b.turns.push(again);
  });
  b.turns.push(again);
  settle(b.context);
  CHECK(b.log == lines{"again", "other", "again", "other", "again", "other"});
}

TEST_CASE("its last act may be its own end") {
  bench b;
  node* own = nullptr;
  own = new node([&] {
    b.note("ran");
    delete own;
  });
  node next([&] { b.note("next"); });
  b.turns.push(*own);
  b.turns.push(next);
  settle(b.context);
  CHECK(b.log == lines{"ran", "next"});
}

TEST_CASE("coroutines that await their turn go on in one batch, in order") {
  bench b;
  auto const walk = [](bench& x, std::string who) -> doorward::net::task<> {
    x.note(who + " 1");
    co_await x.turns.next();
    x.note(who + " 2");
    co_await x.turns.next();
    x.note(who + " 3");
  };
  doorward::net::spawn(walk(b, "a"));
  doorward::net::spawn(walk(b, "b"));
  CHECK(b.log == lines{"a 1", "b 1"});
  CHECK(settle(b.context) == 2);
  CHECK(b.log == lines{"a 1", "b 1", "a 2", "b 2", "a 3", "b 3"});
}
