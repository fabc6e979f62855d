#include "doorward/net/endpoint.hpp"

#include <fmt/format.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "descriptor.hpp"
#include "doorward/base/errc.hpp"
#include "event_loop.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace std::chrono_literals;
using namespace doorward;
using namespace doorward::test;
using net::destination;

struct bench {
  net::asio::io_context context;
  mock_clock clock;
  net::watch watch{clock.wheel};
  net::stream stream{context.get_executor()};
  std::optional<result<void>> ended;

  void pass(milliseconds by) { clock.pass(context, by); }
  void connect(destination& to, milliseconds timeout = 1s) {
    ended.reset();
    net::spawn([](bench& b, destination& where, milliseconds t) -> net::task<> {
      auto r = co_await net::connect(b.context, b.stream, b.watch, where, t);
      b.ended = r;
    }(*this, to, timeout));
  }
  [[nodiscard]] std::string outcome() const {
    if (!ended) return "waiting";
    return *ended ? "connected" : std::string(about(to_errc(ended->error())).reason);
  }
};

std::string text_of(net::socket_address const& a) {
  if (a.data()->sa_family == AF_UNIX) return reinterpret_cast<sockaddr_un const*>(a.data())->sun_path;
  net::asio::ip::tcp::endpoint e;
  std::memcpy(e.data(), a.data(), a.size());
  e.resize(a.size());
  return fmt::format("{} {}", e.address().to_string(), e.port());
}

// A TCP listener whose queue is full, so that the kernel answers no further connection.
struct deaf_listener {
  std::uint16_t port = 0;
  descriptor listener = tcp_listener(port, 0);
  std::vector<descriptor> queued;

  deaf_listener() {
    for (int i = 0; i < 8; ++i) {
      auto c = tcp_connect(port);
      pollfd p{c.get(), POLLOUT, 0};
      queued.push_back(std::move(c));
      if (::poll(&p, 1, 20) == 0) return;
    }
    FAIL("the queue of the listener does not fill");
  }
};

}  // namespace

TEST_CASE("destination, what needs no resolving") {
  struct row {
    std::string host;
    std::string address;
  };
  auto const [host, address] = GENERATE(
      values<row>({{"127.0.0.1", "127.0.0.1 8080"}, {"::1", "::1 8080"}, {"2001:db8::5", "2001:db8::5 8080"}}));
  bench b;
  auto d = destination::tcp(host, 8080);
  CHECK(d.is_tcp());
  auto const& known = d.addresses(b.context, b.clock.now);
  REQUIRE(known.size() == 1);
  CHECK(text_of(known.front()) == address);
  CHECK(settle(b.context) == 0);
}

TEST_CASE("destination, a Unix socket") {
  bench b;
  auto d = destination::unix_socket("/run/app.sock");
  CHECK_FALSE(d.is_tcp());
  auto const& known = d.addresses(b.context, b.clock.now);
  REQUIRE(known.size() == 1);
  CHECK(text_of(known.front()) == "/run/app.sock");
}

TEST_CASE("destination, a name: no address until it has been resolved, and then some") {
  bench b;
  auto d = destination::tcp("localhost", 8080);
  CHECK(d.addresses(b.context, b.clock.now).empty());
  REQUIRE(run_until(b.context, [&] { return !d.addresses(b.context, b.clock.now).empty(); }));
  for (auto const& a : d.addresses(b.context, b.clock.now))
    CHECK(text_of(a).ends_with(" 8080"));
}

TEST_CASE("connecting, somebody listens on a Unix socket") {
  bench b;
  temporary_folder folder;
  auto const listener = unix_listener(folder.file("app"));
  auto d = destination::unix_socket(folder.file("app"));
  b.connect(d);
  REQUIRE(b.outcome() == "connected");
  auto const peer = accept(listener);
  REQUIRE(peer);
  (void)b.stream.try_write("hello");
  CHECK(peer.read() == "hello");
  CHECK((::fcntl(b.stream.native().native_handle(), F_GETFL) & O_NONBLOCK) != 0);
}

TEST_CASE("connecting, somebody listens on TCP") {
  bench b;
  std::uint16_t port = 0;
  auto const listener = tcp_listener(port);
  auto d = destination::tcp("127.0.0.1", port);
  b.connect(d);
  REQUIRE(run_until(b.context, [&] { return b.ended.has_value(); }));
  CHECK(b.outcome() == "connected");
  REQUIRE(listener.wait(POLLIN));
  auto const peer = accept(listener);
  (void)b.stream.try_write("hello");
  REQUIRE(peer.wait(POLLIN));
  CHECK(peer.read() == "hello");
}

TEST_CASE("connecting, nobody is there") {
  bench b;
  temporary_folder folder;
  std::uint16_t port = 0;
  auto const bound = tcp_listener(port, -1);  // holds the port, so that nobody else gets it
  { auto const dead = unix_listener(folder.file("dead")); }
  folder.write("file", "no socket");
  struct row {
    char const* what;
    destination to;
  };
  std::vector<row> rows;
  rows.push_back({"refused", destination::tcp("127.0.0.1", port)});
  rows.push_back({"no such file", destination::unix_socket(folder.file("missing"))});
  rows.push_back({"left behind", destination::unix_socket(folder.file("dead"))});
  rows.push_back({"no socket", destination::unix_socket(folder.file("file"))});
  for (auto& r : rows) {
    CAPTURE(r.what);
    b.connect(r.to);
    CHECK(run_until(b.context, [&] { return b.ended.has_value(); }));
    CHECK(b.outcome() == "upstream_connect");
    CHECK_FALSE(b.stream.is_open());
  }
}

TEST_CASE("connecting, to a name whose address is not known yet") {
  bench b;
  auto d = destination::tcp("localhost", 1);
  b.connect(d);
  CHECK(b.outcome() == "upstream_connect");
  CHECK(run_until(b.context, [&] { return !d.addresses(b.context, b.clock.now).empty(); }));
}

TEST_CASE("connecting, again with the same stream") {
  bench b;
  temporary_folder folder;
  auto d = destination::unix_socket(folder.file("app"));
  b.connect(d);
  REQUIRE(b.outcome() == "upstream_connect");
  auto const listener = unix_listener(folder.file("app"));
  b.connect(d);
  REQUIRE(b.outcome() == "connected");
  CHECK(accept(listener));
}

TEST_CASE("connecting, no answer within the time") {
  bench b;
  deaf_listener const deaf;
  auto d = destination::tcp("127.0.0.1", deaf.port);
  b.connect(d, 1s);
  b.pass(950ms);
  CHECK(b.outcome() == "waiting");
  b.pass(150ms);
  CHECK(b.outcome() == "upstream_connect_timeout");
  CHECK_FALSE(b.stream.is_open());
}

TEST_CASE("connecting, somebody interrupts") {
  bench b;
  deaf_listener const deaf;
  auto d = destination::tcp("127.0.0.1", deaf.port);
  b.connect(d, 10s);
  REQUIRE(b.outcome() == "waiting");
  b.watch.interrupt();
  settle(b.context);
  CHECK(b.outcome() == "upstream_connect_timeout");
}

TEST_CASE("connecting, the watch's limit comes before the time") {
  bench b;
  deaf_listener const deaf;
  auto d = destination::tcp("127.0.0.1", deaf.port);
  b.watch.limit(b.clock.now + 200ms);
  b.connect(d, 10s);
  b.pass(300ms);
  CHECK(b.outcome() == "upstream_connect_timeout");
}

namespace {

// A Unix listener with a full queue says EAGAIN at once.
struct busy_listener {
  temporary_folder folder;
  std::string path = folder.file("busy");
  descriptor listener = unix_listener(path, 0);
  std::vector<descriptor> queued;

  busy_listener() {
    while (auto c = unix_connect(path))
      queued.push_back(std::move(c));
  }
};

}  // namespace

TEST_CASE("connecting, the queue of a Unix socket is full for a while") {
  bench b;
  busy_listener busy;
  auto d = destination::unix_socket(busy.path);
  b.connect(d, 1s);
  b.pass(500ms);
  CHECK(b.outcome() == "waiting");
  auto const taken = accept(busy.listener);
  CHECK(run_until(b.context, [&] { return b.ended.has_value(); }));
  CHECK(b.outcome() == "connected");
}

TEST_CASE("connecting, the queue of a Unix socket stays full") {
  bench b;
  busy_listener const busy;
  auto d = destination::unix_socket(busy.path);
  b.connect(d, 1s);
  b.pass(1s + deadline_wheel::tick);
  CHECK(run_until(b.context, [&] { return b.ended.has_value(); }));
  CHECK(b.outcome() == "upstream_connect_timeout");
}
