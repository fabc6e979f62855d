#include "doorward/net/stream.hpp"

#include <netinet/tcp.h>

#include <array>
#include <optional>
#include <string>

#include "catch.hpp"
#include "event_loop.hpp"
#include "stream_pair.hpp"

namespace {

using namespace std::chrono_literals;
using namespace doorward;
using namespace doorward::test;
using net::io_result;
using net::io_status;

struct bench {
  net::asio::io_context context;
  mock_clock clock;
  stream_pair pair{context};
  net::stream& stream = pair.stream;
  descriptor& peer = pair.peer;
  net::watch watch{clock.wheel};

  ~bench() {
    watch.interrupt();  // whoever still waits comes to its end
    settle(context);
  }
  void pass(milliseconds by) { clock.pass(context, by); }
};

std::string read_from(net::stream& s, io_status expected) {
  std::array<char, 64> room{};
  auto const r = s.try_read(room);
  CHECK(r.status == expected);
  return {room.data(), r.bytes};
}

// A TCP connection over the loopback: what of it a Unix socket does not have.
struct tcp_bench {
  net::asio::io_context context;
  std::uint16_t port = 0;
  descriptor listener = tcp_listener(port);
  descriptor peer = tcp_connect(port);
  net::stream stream{net::socket(context)};

  tcp_bench() {
    listener.wait(POLLIN);
    stream.native().assign(net::asio::generic::stream_protocol(AF_INET, IPPROTO_TCP), accept(listener).release());
  }
};

}  // namespace

TEST_CASE("read, by what the peer has done") {
  bench b;
  CHECK(read_from(b.stream, io_status::again).empty());
  b.peer.write("hello");
  CHECK(read_from(b.stream, io_status::ok) == "hello");
  b.peer.write("last");
  b.peer.end_sending();
  CHECK(read_from(b.stream, io_status::ok) == "last");
  CHECK(read_from(b.stream, io_status::eof).empty());
}

TEST_CASE("read, the peer has reset the connection") {
  bench b;
  (void)b.stream.try_write("never read");
  b.peer.close();
  CHECK(read_from(b.stream, io_status::error).empty());
}

TEST_CASE("write, several parts leave as one") {
  bench b;
  std::array const parts{net::as_iovec("head "), net::as_iovec(""), net::as_iovec("body")};
  auto const r = b.stream.try_write(parts);
  CHECK(r.status == io_status::ok);
  CHECK(r.bytes == 9);
  CHECK(b.peer.read() == "head body");
}

TEST_CASE("write, the peer takes no more") {
  bench b;
  std::string const much(256 * 1024, 'x');
  auto const first = b.stream.try_write(much);
  CHECK(first.status == io_status::ok);
  CHECK(first.bytes < much.size());
  CHECK(b.stream.try_write("more").status == io_status::again);
  std::array const parts{net::as_iovec("more")};
  CHECK(b.stream.try_write(parts).status == io_status::again);
}

TEST_CASE("write, the peer is gone: an error and no signal") {
  bench b;
  b.peer.close();
  CHECK(b.stream.try_write("hello").status == io_status::error);
  std::array const parts{net::as_iovec("hello")};
  CHECK(b.stream.try_write(parts).status == io_status::error);
}

TEST_CASE("peeked at, what is there stays there") {
  bench b;
  CHECK(b.stream.peek() == io_status::again);
  b.peer.write("x");
  CHECK(b.stream.peek() == io_status::ok);
  CHECK(b.stream.peek() == io_status::ok);
  CHECK(read_from(b.stream, io_status::ok) == "x");
  b.peer.end_sending();
  CHECK(b.stream.peek() == io_status::eof);
}

TEST_CASE("peeked at, the peer has reset the connection") {
  bench b;
  (void)b.stream.try_write("never read");
  b.peer.close();
  CHECK(b.stream.peek() == io_status::error);
}

TEST_CASE("hung up, by what the peer has done") {
  bench b;
  CHECK_FALSE(b.stream.hung_up());
  b.peer.write("not read yet");
  CHECK_FALSE(b.stream.hung_up());
  SECTION("it has ended its side") {
    b.peer.end_sending();
  }
  SECTION("it is gone") {
    b.peer.close();
  }
  SECTION("both have ended") {
    b.stream.shutdown();
  }
  CHECK(b.stream.hung_up());
  CHECK(read_from(b.stream, io_status::ok) == "not read yet");
}

TEST_CASE("shut down, both sides see the end") {
  bench b;
  b.stream.shutdown();
  CHECK(read_from(b.stream, io_status::eof).empty());
  CHECK(b.stream.try_write("x").status == io_status::error);
  CHECK(b.peer.state() == "end");
  CHECK(b.stream.is_open());
}

TEST_CASE("sending ended, the other direction goes on") {
  bench b;
  b.stream.shutdown_send();
  CHECK(b.peer.state() == "end");
  b.peer.write("still here");
  CHECK(read_from(b.stream, io_status::ok) == "still here");
}

TEST_CASE("closed or destroyed, the peer sees an end") {
  bench b;
  b.stream.close();
  CHECK_FALSE(b.stream.is_open());
  CHECK(b.peer.state() == "end");
  b.stream.close();
  { stream_pair const gone(b.context); }
  std::optional<stream_pair> other(b.context);
  auto const peer = std::move(other->peer);
  other.reset();
  CHECK(peer.state() == "end");
}

TEST_CASE("reset over TCP, the peer sees an error instead of an end") {
  tcp_bench b;
  CHECK(b.peer.state() == "nothing");
  b.stream.reset();
  CHECK_FALSE(b.stream.is_open());
  REQUIRE(b.peer.wait(POLLIN));
  CHECK(b.peer.state() == "reset");
}

TEST_CASE("closed over TCP, the peer sees an end") {
  tcp_bench b;
  b.stream.close();
  REQUIRE(b.peer.wait(POLLIN));
  CHECK(b.peer.state() == "end");
}

TEST_CASE("prepared, a TCP socket sends small messages at once, and notices a peer that vanished") {
  tcp_bench b;
  b.stream.prepare(true);
  auto const option = [&](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    REQUIRE(::getsockopt(b.stream.native().native_handle(), level, name, &value, &size) == 0);
    return value;
  };
  CHECK(option(IPPROTO_TCP, TCP_NODELAY) != 0);
  CHECK(option(SOL_SOCKET, SO_KEEPALIVE) != 0);
  CHECK(option(IPPROTO_TCP, TCP_KEEPIDLE) + option(IPPROTO_TCP, TCP_KEEPCNT) * option(IPPROTO_TCP, TCP_KEEPINTVL) ==
        120);  // seconds
}

TEST_CASE("parts, moved on by what was written") {
  struct row {
    std::size_t bytes;
    std::string left;
    std::size_t parts;
  };
  auto const [bytes, left, count] = GENERATE(values<row>(
      {{0, "abcdefghi", 3}, {1, "bcdefghi", 3}, {3, "defghi", 2}, {4, "efghi", 2}, {6, "ghi", 1}, {9, "", 0}}));
  CAPTURE(bytes);
  std::array parts{net::as_iovec("abc"), net::as_iovec("def"), net::as_iovec("ghi")};
  auto const rest = net::advance(parts, bytes);
  std::string text;
  for (auto const& p : rest)
    text.append(static_cast<char const*>(p.iov_base), p.iov_len);
  CHECK(text == left);
  CHECK(rest.size() == count);
}

TEST_CASE("parts, empty ones are left behind") {
  std::array parts{net::as_iovec("a"), net::as_iovec(""), net::as_iovec("")};
  CHECK(net::advance(parts, 1).empty());
  std::array behind{net::as_iovec(""), net::as_iovec("b")};
  CHECK(net::advance(behind, 0).size() == 1);
}

// --- read_some and write_all

namespace {

struct reading {
  std::optional<io_result> ended;
  std::string text;
};

net::task<> read_into(reading& r, net::stream& s, net::watch& w, milliseconds timeout) {
  std::array<char, 64> room{};
  r.ended = co_await net::read_some(s, w, timeout, room);
  r.text.assign(room.data(), r.ended->bytes);
}

net::task<> write_into(std::optional<io_status>& ended, net::stream& s, net::watch& w, milliseconds timeout,
                       std::span<iovec> parts) {
  ended = co_await net::write_all(s, w, timeout, parts);
}

}  // namespace

TEST_CASE("reading some, there already: it does not wait") {
  bench b;
  reading r;
  b.peer.write("hello");
  net::spawn(read_into(r, b.stream, b.watch, 1s));
  REQUIRE(r.ended);
  CHECK(r.text == "hello");
}

TEST_CASE("reading some, it comes later") {
  bench b;
  reading r;
  net::spawn(read_into(r, b.stream, b.watch, 1s));
  b.pass(900ms);
  CHECK_FALSE(r.ended);
  b.peer.write("late");
  settle(b.context);
  REQUIRE(r.ended);
  CHECK(r.ended->status == io_status::ok);
  CHECK(r.text == "late");
}

TEST_CASE("reading some, by what else may happen") {
  bench b;
  reading r;
  net::spawn(read_into(r, b.stream, b.watch, 1s));
  REQUIRE_FALSE(r.ended);
  SECTION("nothing comes") {
    b.pass(1s + 50ms);
    REQUIRE(r.ended);
    CHECK(r.ended->status == io_status::again);
  }
  SECTION("the peer ends") {
    b.peer.close();
    settle(b.context);
    REQUIRE(r.ended);
    CHECK(r.ended->status == io_status::eof);
  }
  SECTION("it is shut down here") {
    b.stream.shutdown();
    settle(b.context);
    REQUIRE(r.ended);
    CHECK(r.ended->status == io_status::eof);
  }
  SECTION("somebody interrupts") {
    b.watch.interrupt();
    settle(b.context);
    REQUIRE(r.ended);
    CHECK(r.ended->status == io_status::again);
  }
  SECTION("it is woken for nothing, and waits on") {
    b.stream.cancel();
    settle(b.context);
    CHECK_FALSE(r.ended);
    b.peer.write("x");
    settle(b.context);
    REQUIRE(r.ended);
    CHECK(r.text == "x");
  }
}

TEST_CASE("reading some, woken for nothing again and again: its time is not begun anew") {
  bench b;
  reading r;
  net::spawn(read_into(r, b.stream, b.watch, 1s));
  for (int i = 0; i < 4 && !r.ended; ++i) {
    b.pass(300ms);
    b.stream.cancel();
    settle(b.context);
  }
  REQUIRE(r.ended);
  CHECK(r.ended->status == io_status::again);
}

TEST_CASE("writing all, over a full socket buffer") {
  bench b;
  std::string const head = "head ";
  std::string body;
  for (int i = 0; body.size() < 300 * 1024; ++i)
    body += std::to_string(i) + ' ';
  std::string const tail = " tail";
  std::array parts{net::as_iovec(head), net::as_iovec(body), net::as_iovec(tail)};
  std::optional<io_status> ended;
  net::spawn(write_into(ended, b.stream, b.watch, 1s, parts));
  std::string got;
  int waits = 0;
  while (!ended && ++waits < 10'000) {
    got += b.peer.read();
    // Each stall has its own time: all of them together take longer than one may.
    b.pass(300ms);
  }
  got += b.peer.read();
  CHECK(waits > 4);
  REQUIRE(ended);
  CHECK(*ended == io_status::ok);
  CHECK(got.size() == head.size() + body.size() + tail.size());
  CHECK((got == head + body + tail));
}

TEST_CASE("writing all, by how it may fail") {
  bench b;
  std::string const much(256 * 1024, 'x');
  std::array parts{net::as_iovec(much)};
  std::optional<io_status> ended;
  net::spawn(write_into(ended, b.stream, b.watch, 1s, parts));
  REQUIRE_FALSE(ended);
  SECTION("the peer takes nothing more") {
    b.pass(950ms);
    CHECK_FALSE(ended);
    b.pass(100ms);
    REQUIRE(ended);
    CHECK(*ended == io_status::again);
  }
  SECTION("the peer takes nothing more, and others' clocks wake it for nothing") {
    for (int i = 0; i < 4 && !ended; ++i) {
      b.pass(300ms);
      b.stream.cancel();
      settle(b.context);
    }
    REQUIRE(ended);
    CHECK(*ended == io_status::again);
  }
  SECTION("the peer goes") {
    b.peer.close();
    settle(b.context);
    REQUIRE(ended);
    CHECK(*ended == io_status::error);
  }
  SECTION("somebody interrupts") {
    b.watch.interrupt();
    settle(b.context);
    REQUIRE(ended);
    CHECK(*ended == io_status::again);
  }
}
