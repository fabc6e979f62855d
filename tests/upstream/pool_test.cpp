#include "cluster_fixture.hpp"

using namespace doorward;
using namespace doorward::upstream;

// What becomes of a connection between two requests.

TEST_CASE("nothing pooled: no lease") {
  cluster_fixture b;
  auto& c = b.make();
  CHECK_FALSE(c.take_idle());
  CHECK(c.open() == 0);
}

TEST_CASE("a lease that ends without a word closes its connection") {
  cluster_fixture b;
  auto& c = b.make();
  auto p = b.connected(c);
  CHECK_FALSE(p.mine.reused());
  CHECK(c.open() == 1);
  CHECK(c.idle() == 0);
  SECTION("destroyed") {
    lease const gone = std::move(p.mine);
  }
  SECTION("ended") {
    p.mine.end();
  }
  SECTION("another one assigned to it") {
    p.mine = lease{};
  }
  CHECK_FALSE(p.mine);
  CHECK(p.peer.state() == "end");
  CHECK(c.open() == 0);
}

TEST_CASE("ended or kept twice: once is enough") {
  cluster_fixture b;
  auto& c = b.make();
  auto p = b.connected(c);
  p.mine.keep();
  p.mine.keep();
  p.mine.end();
  CHECK(c.open() == 1);
  CHECK(c.idle() == 1);
}

TEST_CASE("kept, it is lent again") {
  cluster_fixture b;
  auto& c = b.make();
  auto p = b.connected(c);
  p.mine.keep();
  CHECK_FALSE(p.mine);
  CHECK(p.peer.state() == "nothing");
  CHECK(c.idle() == 1);

  auto again = c.take_idle();
  REQUIRE(again);
  CHECK(again.reused());
  CHECK(reached(again, {&p.peer}) == 0);
  CHECK(c.idle() == 0);
  CHECK(c.open() == 1);
}

TEST_CASE("several kept, the one used last is lent first") {
  cluster_fixture b;
  auto& c = b.make();
  auto first = b.connected(c);
  auto second = b.connected(c);
  auto third = b.connected(c);
  second.mine.keep();
  third.mine.keep();
  first.mine.keep();
  std::vector<descriptor const*> const peers{&first.peer, &second.peer, &third.peer};
  auto a = c.take_idle();
  auto d = c.take_idle();
  auto e = c.take_idle();
  CHECK(reached(a, peers) == 0);
  CHECK(reached(d, peers) == 2);
  CHECK(reached(e, peers) == 1);
  CHECK_FALSE(c.take_idle());
}

TEST_CASE("the peer did something meanwhile: what would be taken for an answer is not used") {
  struct row {
    char const* what;
    bool lent;
  };
  auto const [what, lent] =
      GENERATE(values<row>({{"nothing", true}, {"closed", false}, {"ended", false}, {"sent", false}}));
  CAPTURE(what);
  cluster_fixture b;
  auto& c = b.make();
  auto p = b.connected(c);
  p.mine.keep();
  if (what == std::string("closed")) p.peer.close();
  if (what == std::string("ended")) p.peer.end_sending();
  if (what == std::string("sent")) p.peer.write("a body after HEAD, or an answer to nobody");
  auto const again = c.take_idle();
  CHECK(static_cast<bool>(again) == lent);
  CHECK(c.open() == (lent ? 1 : 0));
  CHECK(c.idle() == 0);
}

TEST_CASE("the warm ones are dead: those below are lent") {
  cluster_fixture b;
  auto& c = b.make();
  auto below = b.connected(c);
  auto dead = b.connected(c);
  auto dead_too = b.connected(c);
  below.mine.keep();
  dead.mine.keep();
  dead_too.mine.keep();
  dead.peer.close();
  dead_too.peer.close();
  auto l = c.take_idle();
  REQUIRE(l);
  CHECK(reached(l, {&below.peer}) == 0);
  CHECK(c.open() == 1);
}

TEST_CASE("sweep, idle too long: closed") {
  cluster_fixture b;
  b.config.timeouts.idle = 10s;
  auto& c = b.make();
  auto old = b.connected(c);
  auto warm = b.connected(c);
  old.mine.keep();
  b.pass(6s);
  warm.mine.keep();
  b.pass(3s);
  c.sweep(b.clock.now);
  CHECK(c.idle() == 2);
  b.pass(1s);
  c.sweep(b.clock.now);
  CHECK(c.idle() == 1);
  CHECK(c.open() == 1);
  CHECK(old.peer.state() == "end");
  CHECK(warm.peer.state() == "nothing");
}

TEST_CASE("sweep, the peer closed it or sent what nobody asked for: closed") {
  cluster_fixture b;
  auto& c = b.make();
  auto closed = b.connected(c);
  auto talks = b.connected(c);
  auto good = b.connected(c);
  closed.mine.keep();
  talks.mine.keep();
  good.mine.keep();
  closed.peer.close();
  talks.peer.write("HTTP/1.1 408 Request Timeout\r\n\r\n");
  c.sweep(b.clock.now);
  CHECK(c.idle() == 1);
  auto l = c.take_idle();
  REQUIRE(l);
  CHECK(reached(l, {&good.peer}) == 0);
}

TEST_CASE("sweep, on loan: left alone, whatever its age") {
  cluster_fixture b;
  b.config.timeouts.idle = 1s;
  auto& c = b.make();
  auto p = b.connected(c);
  b.pass(60s);
  c.sweep(b.clock.now);
  CHECK(c.open() == 1);
  CHECK(p.peer.state() == "nothing");
}

TEST_CASE("retired, what is idle is closed and nothing is kept any more") {
  cluster_fixture b;
  auto& c = b.make();
  auto idle = b.connected(c);
  auto lent = b.connected(c);
  idle.mine.keep();
  c.retire();
  CHECK(idle.peer.state() == "end");
  CHECK(lent.peer.state() == "nothing");  // its request goes on to its end
  CHECK(c.open() == 1);
  CHECK(reached(lent.mine, {&lent.peer}) == 0);
  lent.mine.keep();
  CHECK(lent.peer.state() == "end");
  CHECK(c.open() == 0);
  CHECK(c.idle() == 0);
}

TEST_CASE("cut, what is on loan breaks") {
  cluster_fixture b;
  auto& c = b.make();
  auto lent = b.connected(c);
  auto also = b.connected(c);
  also.mine.keep();
  auto again = c.take_idle();  // lent a second time
  c.cut();
  CHECK(lent.peer.state() == "end");
  CHECK(also.peer.state() == "end");
  CHECK(lent.mine.stream().peek() == net::io_status::eof);
  CHECK(again.stream().peek() == net::io_status::eof);
}

TEST_CASE("cut, somebody waits for an answer: woken") {
  cluster_fixture b;
  auto& c = b.make();
  auto lent = b.connected(c);
  net::watch watch(b.clock.wheel);
  std::optional<bool> said;
  net::spawn([](lease& l, net::watch& w, std::optional<bool>& out) -> net::task<> {
    bool const in_time = co_await l.stream().readable(w, 30s);
    out = in_time;
  }(lent.mine, watch, said));
  test::settle(b.context);
  REQUIRE_FALSE(said);
  c.cut();
  test::settle(b.context);
  CHECK(said == true);
}
