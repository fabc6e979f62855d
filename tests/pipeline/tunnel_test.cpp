#include "proxy_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

// After a 101: bytes, not messages.

namespace {

std::string const handshake =
    "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n";
std::string const switching =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: y\r\n\r\n";

void open(proxy_fixture& p) {
  p.request(handshake);
  CHECK(p.forwarded().ends_with("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
  ++p.b.worker.connections_active;  // what the connection counts for its request
  p.answer(switching);
  CHECK(p.received() ==
        "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: y\r\nConnection: Upgrade\r\nUpgrade: "
        "websocket\r\n\r\n");
  CHECK(p.b.worker.connections_tunnel == 1);
  CHECK(p.b.worker.connections_active == 0);
  REQUIRE_FALSE(p.done);
}

void check_over(proxy_fixture& p) {
  REQUIRE(p.done);
  CHECK(p.b.worker.connections_tunnel == 0);
  CHECK(p.b.worker.connections_active == 1);
  CHECK(p.cluster().open() == 0);
  CHECK(p.x.close);
  CHECK(p.x.status == 101);
}

}  // namespace

TEST_CASE("tunnel, bytes go both ways") {
  proxy_fixture p;
  open(p);
  p.client.write("up");
  p.settle();
  CHECK(p.forwarded() == "up");
  p.answer("down");
  CHECK(p.received() == "down");
  p.client.write("up again");
  p.answer("down again");
  CHECK(p.forwarded() == "up again");
  CHECK(p.received() == "down again");
}

TEST_CASE("tunnel, what either side said early belongs to it") {
  proxy_fixture p;
  p.request(handshake + "early frame");
  CHECK(p.forwarded().ends_with("\r\n\r\n"));  // it is not sent before the other side has agreed
  ++p.b.worker.connections_active;
  p.answer(switching + "first frame");
  CHECK(p.received().ends_with("\r\n\r\nfirst frame"));
  CHECK(p.forwarded() == "early frame");
}

TEST_CASE("tunnel, much at once and slow readers: all of it arrives") {
  proxy_fixture p;
  open(p);
  std::string data;
  while (data.size() < 600'000)
    data += std::to_string(data.size()) + ' ';
  std::string down;
  std::string up;
  std::size_t sent_down = 0;
  std::size_t sent_up = 0;
  auto const push = [&](test::descriptor const& to, std::size_t& sent) {
    if (sent == data.size()) return;
    auto const n = ::send(to.get(), data.data() + sent, data.size() - sent, MSG_NOSIGNAL);
    if (n > 0) sent += static_cast<std::size_t>(n);
  };
  for (int i = 0; i < 100'000 && (down.size() < data.size() || up.size() < data.size()); ++i) {
    push(p.upstream, sent_down);
    push(p.client, sent_up);
    p.settle();
    down += p.client.read();
    up += p.upstream.read();
  }
  CHECK((down == data));
  CHECK((up == data));
}

TEST_CASE("tunnel, one side ends: the other has a while to say its last words") {
  proxy_fixture p;
  open(p);
  bool const client_first = GENERATE(true, false);
  CAPTURE(client_first);
  auto& first = client_first ? p.client : p.upstream;
  auto& second = client_first ? p.upstream : p.client;
  first.end_sending();
  p.settle();
  CHECK(second.state() == "end");
  CHECK_FALSE(p.done);
  second.write("last words");
  p.settle();
  CHECK(first.read() == "last words");
  SECTION("and ends") {
    second.end_sending();
    p.settle();
  }
  SECTION("or says nothing more for ten seconds") {
    p.b.pass(9s);
    CHECK_FALSE(p.done);
    p.b.pass(2s);
  }
  check_over(p);
}

TEST_CASE("tunnel, one side is gone") {
  proxy_fixture p;
  open(p);
  SECTION("the client") {
    p.client.close();
    p.answer("more");
  }
  SECTION("the upstream") {
    p.upstream.close();
    p.client.write("more");
    p.settle();
  }
  p.settle();
  p.b.pass(11s);
  check_over(p);
}

TEST_CASE("tunnel, silent for less than an hour: it stays") {
  proxy_fixture p;
  open(p);
  p.b.pass(600s);
  CHECK_FALSE(p.done);
  p.answer("still here");
  CHECK(p.received() == "still here");
}

TEST_CASE("tunnel, its idle clock: what one side says counts for both") {
  proxy_fixture p("", "", "server: { timeouts: { stream_idle: 20s } }\n");
  open(p);
  for (int i = 0; i < 3; ++i) {
    p.b.pass(15s);
    p.answer("tick");
    CHECK(p.received() == "tick");
  }
  REQUIRE_FALSE(p.done);
  p.b.pass(21s);
  check_over(p);
  CHECK(p.x.bytes_out == 12);
  CHECK(p.x.tunnel_bytes_in == 0);
}

TEST_CASE("no tunnel on a route that says so") {
  proxy_fixture p("", ", upgrade: false");
  p.request(handshake);
  CHECK(p.forwarded().find("pgrade") == std::string::npos);
  p.answer(switching);
  REQUIRE(p.done);
  CHECK(p.refused() == "upstream_bad_response");
}

TEST_CASE("tunnel, the upstream says no: its answer is an answer like any other") {
  proxy_fixture p;
  p.request(handshake);
  (void)p.forwarded();
  p.answer("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno");
  REQUIRE(p.done);
  CHECK(p.received().starts_with("HTTP/1.1 426"));
  CHECK(p.cluster().idle() == 1);
  CHECK_FALSE(p.x.close);
}

TEST_CASE("tunnel, the upstream agrees to something else: refused") {
  proxy_fixture p;
  p.request(handshake);
  (void)p.forwarded();
  p.answer("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  REQUIRE(p.done);
  CHECK(p.refused() == "upstream_bad_response");
  CHECK(p.cluster().open() == 0);
}
