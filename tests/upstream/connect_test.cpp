#include "cluster_fixture.hpp"

using namespace doorward;
using namespace doorward::upstream;

// Which endpoint a new connection goes to, and what happens when there is no place for it.

TEST_CASE("one endpoint, it takes the connection") {
  cluster_fixture b;
  auto& c = b.make();
  auto& a = b.connect(c);
  CHECK(a.outcome() == "fresh");
  CHECK(test::accept(b.listeners[0]));
  CHECK(c.open() == 1);
}

TEST_CASE("several endpoints, each in its turn") {
  cluster_fixture b(3);
  auto& c = b.make();
  for (std::size_t i = 0; i < 7; ++i) {
    CHECK(b.connect(c).outcome() == "fresh");
    CHECK(test::accept(b.listeners[i % 3]));
  }
}

TEST_CASE("several endpoints, pooled connections are lent in turn too") {
  cluster_fixture b(2);
  auto& c = b.make();
  auto zero = b.connected(c, 0);
  auto one = b.connected(c, 1);
  zero.mine.keep();
  one.mine.keep();
  std::vector<descriptor const*> const peers{&zero.peer, &one.peer};
  auto first = c.take_idle();
  auto second = c.take_idle();
  CHECK(reached(first, peers) == 0);
  CHECK(reached(second, peers) == 1);
}

TEST_CASE("the endpoint whose turn it is has nothing pooled: a new connection, to that one") {
  cluster_fixture b(2);
  auto& c = b.make();
  auto zero = b.connected(c, 0);
  zero.mine.keep();
  CHECK_FALSE(c.take_idle());  // it is the other one's turn
  auto one = b.connected(c, 1);
  CHECK(c.take_idle());
}

TEST_CASE("an endpoint refuses: the next one is tried") {
  cluster_fixture b(3);
  b.stop(0);
  auto& c = b.make();
  CHECK(b.connect(c).outcome() == "fresh");
  CHECK(test::accept(b.listeners[1]));
  CHECK(c.open() == 1);
}

TEST_CASE("endpoints that refuse, by how many may be tried") {
  struct row {
    std::size_t endpoints;
    std::size_t dead;
    unsigned retries;
    std::string outcome;
  };
  auto const [endpoints, dead, retries, outcome] = GENERATE(values<row>({
      {1, 1, 1, "upstream_connect"},
      {2, 1, 0, "upstream_connect"},
      {2, 1, 1, "fresh"},
      {3, 2, 1, "upstream_connect"},
      {3, 2, 2, "fresh"},
      {3, 3, 5, "upstream_connect"},
  }));
  CAPTURE(endpoints, dead, retries);
  cluster_fixture b(endpoints);
  b.config.retries = retries;
  for (std::size_t i = 0; i < dead; ++i)
    b.stop(i);
  auto& c = b.make();
  CHECK(b.connect(c).outcome() == outcome);
  CHECK(c.open() == (outcome == "fresh" ? 1 : 0));
}

TEST_CASE("limit, it is shared evenly by the workers, rounded up") {
  struct row {
    std::size_t connections;
    unsigned workers;
    std::size_t share;
  };
  auto const [connections, workers, share] = GENERATE(values<row>({{4, 1, 4}, {4, 2, 2}, {5, 2, 3}, {1, 8, 1}}));
  CAPTURE(connections, workers);
  cluster_fixture b;
  b.config.connections = connections;
  auto& c = b.make(workers);
  for (std::size_t i = 0; i < share; ++i)
    REQUIRE(b.connect(c).outcome() == "fresh");
  auto& over = b.connect(c);
  CHECK(over.outcome() == "waiting");
}

TEST_CASE("limit, it is each endpoint's own") {
  cluster_fixture b(2);
  b.config.connections = 1;
  auto& c = b.make();
  auto zero = b.connected(c, 0);
  auto one = b.connected(c, 1);
  one.mine.end();
  // It would be the first one's turn, but there is a place at the other only.
  auto other = b.connected(c, 1);
  CHECK(c.open() == 2);
}

TEST_CASE("no place, and none within the time") {
  cluster_fixture b;
  b.config.connections = 1;
  b.config.timeouts.connect = 1s;
  auto& c = b.make();
  auto const held = b.connected(c);
  auto& waits = b.connect(c);
  b.pass(950ms);
  CHECK(waits.outcome() == "waiting");
  b.pass(150ms);
  CHECK(waits.outcome() == "upstream_saturated");
  CHECK(c.open() == 1);
}

TEST_CASE("no place, one is freed by a connection that closes") {
  cluster_fixture b;
  b.config.connections = 1;
  auto& c = b.make();
  auto held = b.connected(c);
  auto& waits = b.connect(c);
  held.mine.end();
  CHECK(waits.outcome() == "waiting");  // behind what is ready
  test::settle(b.context);
  CHECK(waits.outcome() == "fresh");
  CHECK(c.open() == 1);
}

TEST_CASE("no place, one is freed by a connection that goes back to its pool: that one is used") {
  cluster_fixture b;
  b.config.connections = 1;
  auto& c = b.make();
  auto held = b.connected(c);
  auto& waits = b.connect(c);
  held.mine.keep();
  test::settle(b.context);
  REQUIRE(waits.outcome() == "reused");
  CHECK(reached(waits.got(), {&held.peer}) == 0);
}

TEST_CASE("no place, the one that goes back to its pool is dead: a new one") {
  cluster_fixture b;
  b.config.connections = 1;
  auto& c = b.make();
  auto held = b.connected(c);
  auto& waits = b.connect(c);
  held.peer.close();
  held.mine.keep();
  test::settle(b.context);
  CHECK(waits.outcome() == "fresh");
  CHECK(c.open() == 1);
}

TEST_CASE("no place, but a pooled connection to the endpoint whose turn it is not: it is used at once") {
  cluster_fixture b(2);
  b.config.connections = 1;
  auto& c = b.make();
  auto zero = b.connected(c, 0);
  auto const one = b.connected(c, 1);
  b.stop(0);  // a new connection could not be had
  zero.mine.keep();
  auto first = c.take_idle();  // endpoint 0, whose turn it is
  REQUIRE(first);
  first.keep();
  REQUIRE_FALSE(c.take_idle());  // endpoint 1 has lent all it has
  auto& a = b.connect(c);
  REQUIRE(a.outcome() == "reused");
  CHECK(reached(a.got(), {&zero.peer}) == 0);
}

TEST_CASE("no place, several wait: first come, first served") {
  cluster_fixture b;
  b.config.connections = 1;
  auto& c = b.make();
  auto held = b.connected(c);
  auto& first = b.connect(c);
  auto& second = b.connect(c);
  held.mine.end();
  test::settle(b.context);
  CHECK(first.outcome() == "fresh");
  CHECK(second.outcome() == "waiting");
  first.got().end();
  test::settle(b.context);
  CHECK(second.outcome() == "fresh");
}

TEST_CASE("no place, the new connection fails: whoever waits next has the place") {
  cluster_fixture b;
  b.config.connections = 1;
  auto& c = b.make();
  auto held = b.connected(c);
  auto& first = b.connect(c);
  auto& second = b.connect(c);
  b.stop(0);
  held.mine.end();
  test::settle(b.context);
  CHECK(first.outcome() == "upstream_connect");
  CHECK(second.outcome() == "upstream_connect");
  CHECK(c.open() == 0);
}

TEST_CASE("woken, whoever comes in between does not take what was freed") {
  cluster_fixture b;
  b.config.connections = 1;
  auto& c = b.make();
  auto held = b.connected(c);
  auto& waits = b.connect(c);
  bool const kept = GENERATE(false, true);
  if (kept)
    held.mine.keep();
  else
    held.mine.end();
  CHECK_FALSE(c.take_idle());
  auto& late = b.connect(c);
  CHECK(late.outcome() == "waiting");
  test::settle(b.context);
  CHECK(waits.outcome() == (kept ? "reused" : "fresh"));
  CHECK(late.outcome() == "waiting");
  CHECK(c.open() == 1);
}

TEST_CASE("somebody waits, whoever comes later waits behind, and each has its own time") {
  cluster_fixture b;
  b.config.connections = 1;
  b.config.timeouts.connect = 1s;
  auto& c = b.make();
  auto const held = b.connected(c);
  auto& first = b.connect(c);
  b.pass(600ms);
  auto& second = b.connect(c);
  b.pass(500ms);
  CHECK(first.outcome() == "upstream_saturated");
  CHECK(second.outcome() == "waiting");
  b.pass(600ms);
  CHECK(second.outcome() == "upstream_saturated");
}

TEST_CASE("woken and out of time in the same turn: neither the place nor the connection is lost") {
  cluster_fixture b;
  b.config.connections = 1;
  b.config.timeouts.connect = 1s;
  auto& c = b.make();
  auto held = b.connected(c);
  auto& waits = b.connect(c);
  bool const kept = GENERATE(false, true);
  CAPTURE(kept);
  if (kept)
    held.mine.keep();
  else
    held.mine.end();
  b.clock.now += 2s;
  b.clock.wheel.advance(b.clock.now);
  test::settle(b.context);
  CHECK(waits.outcome() == (kept ? "reused" : "fresh"));
  CHECK(c.open() == 1);
  if (waits.ended && *waits.ended) (**waits.ended).end();
  CHECK(c.open() == 0);
  CHECK(b.connect(c).outcome() == "fresh");
}

TEST_CASE("out of time, then freed: the place is there for the next") {
  cluster_fixture b;
  b.config.connections = 1;
  b.config.timeouts.connect = 1s;
  auto& c = b.make();
  auto held = b.connected(c);
  auto& waits = b.connect(c);
  b.clock.now += 2s;
  b.clock.wheel.advance(b.clock.now);
  held.mine.end();  // before the one that is out of time has its turn
  test::settle(b.context);
  CHECK(waits.outcome() == "upstream_saturated");
  CHECK(c.open() == 0);
  CHECK(b.connect(c).outcome() == "fresh");
}

TEST_CASE("no place, cut: whoever waits is told") {
  cluster_fixture b;
  b.config.connections = 1;
  auto& c = b.make();
  auto const held = b.connected(c);
  auto& first = b.connect(c);
  auto& second = b.connect(c);
  c.cut();
  test::settle(b.context);
  CHECK(first.outcome() == "upstream_saturated");
  CHECK(second.outcome() == "upstream_saturated");
}

TEST_CASE("cut while a Unix socket's full queue is waited for: the attempt ends, though the clock has stopped") {
  cluster_fixture b;
  b.listeners[0] = test::unix_listener(b.folder.file("busy"), 0);
  b.config.endpoints[0].path = b.folder.file("busy");
  std::vector<descriptor> queued;
  while (auto q = test::unix_connect(b.folder.file("busy")))
    queued.push_back(std::move(q));
  auto& c = b.make();
  auto& waits = b.connect(c);
  REQUIRE(waits.outcome() == "waiting");
  c.retire();
  c.cut();
  CHECK(test::run_until(b.context, [&] { return waits.ended.has_value(); }));
  // For the sake of those who come after this test, should it fail.
  b.clock.now += 10s;
  b.clock.wheel.advance(b.clock.now);
  CHECK(test::run_until(b.context, [&] { return waits.ended.has_value(); }));
}

TEST_CASE("resolved once, literal addresses and Unix sockets need nothing for it") {
  cluster_fixture b(2);
  auto& c = b.make();
  bool done = false;
  net::spawn([](cluster& on, bool& ended) -> net::task<> {
    co_await on.resolve();
    ended = true;
  }(c, done));
  CHECK(done);
}
