#include "pipeline/session_stream.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "redis_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;
using obs::stream_end;

// Tunnels and event streams that end because their session did. When it did: runtime/live_sessions_test.cpp.

namespace {

std::string const cookie = "Cookie: sid=" + std::string(an_id) + "\r\n";
std::string const switching =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: y\r\n\r\n";
std::string const events = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n";

std::string handshake(std::string const& more = cookie, std::string const& path = "/a") {
  return "GET " + path +
         " HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n" + more +
         "\r\n";
}
std::string chunk(std::string const& data) {
  return fmt::format("{:x}\r\n{}\r\n", data.size(), data);
}

struct play : with_redis {
  std::vector<std::string> record{"userId", "42", "role", "admin", "lastSeen", std::to_string(wall_now())};

  explicit play(std::string r = "{ path: /**, upstream: app, auth: optional }", std::string s = {})
      : with_redis(std::move(r), std::move(s)) {
    redis.answer = [this](auto& c, fake_redis::command const&) { c.send(hash(record)); };
  }

  runtime::live_sessions& live() { return b.worker.live; }

  /// Asks, and the upstream says this; returns what the client has got.
  std::string open(std::string const& head, std::string const& reply) {
    b.x.session_end.reset();
    request(head);
    answer(reply);
    std::string got;
    REQUIRE(test::run_until(b.worker.context, [&] {
      got += b.client.read();
      return got.find("\r\n\r\n") != std::string::npos;
    }));
    test::settle(b.worker.context);
    return got + b.client.read();
  }
  /// A log-out, somewhere.
  void log_out() {
    b.worker.shared.revocations.of_session(an_id, stream_end::logout);
    test::settle(b.worker.context);
  }
  /// Looked at again, with what Redis says then.
  void recheck() {
    auto const before = redis.seen.size();
    b.pass(1s);
    REQUIRE(test::run_until(b.worker.context, [&] { return redis.seen.size() > before; }));
    test::run_for(b.worker.context, 20ms);
  }
  std::string why() { return b.x.session_end ? std::string(obs::name(*b.x.session_end)) : "open"; }
};

}  // namespace

TEST_CASE("event stream, between two events or in the middle of one") {
  for (auto const* last : {"", "\n\n", "x\n\n", "\r\n\r\n", "\n\r\n", "\r\r", "x\r\n\n", "\r\n\r"})
    CHECK(is_between_events(last));
  for (auto const* last : {"x", "x\n", "\r\n", "x\r\n", "\n", "\r", "x\r", "\n\nx", "\n ", "\n\n "})
    CHECK_FALSE(is_between_events(last));
}

TEST_CASE("tunnel of a session that ends: both sides are closed") {
  play t;
  (void)t.open(handshake(), switching);
  CHECK(t.live().streams() == 1);
  SECTION("while it is silent") {
    t.log_out();
  }
  SECTION("while it cannot be written to") {
    std::string const much(1'000'000, 'x');
    (void)::send(t.b.client.get(), much.data(), much.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    test::settle(t.b.worker.context);
    t.log_out();
  }
  t.finish();
  CHECK(t.b.client.state() == "end");
  (void)t.upstream.read();
  CHECK(t.upstream.state() == "end");
  CHECK(t.why() == "logout");
  CHECK(t.b.x.status == 101);
  CHECK_FALSE(t.b.x.refused);
  CHECK(t.live().streams() == 0);
  CHECK(t.b.worker.metrics.streams_ended(stream_end::logout) == 1);
}

TEST_CASE("tunnel, found to be over by looking again") {
  play t("{ path: /**, upstream: app, allow: { roles: [admin], fields: { plan: [pro] } } }");
  t.record.insert(t.record.end(), {"plan", "pro"});
  (void)t.open(handshake(), switching);
  t.recheck();
  CHECK_FALSE(t.done);
  SECTION("the session is gone") {
    t.record.clear();
    t.recheck();
    CHECK(t.why() == "session_unknown");
  }
  SECTION("it was revoked") {
    t.record = {"doorward.ended", "revoked"};
    t.recheck();
    CHECK(t.why() == "session_revoked");
  }
  SECTION("its user has lost the role") {
    t.record[3] = "user";
    t.recheck();
    CHECK(t.why() == "forbidden");
  }
  SECTION("its user has lost the plan") {
    t.record.back() = "free";
    t.recheck();
    CHECK(t.why() == "forbidden");
  }
  REQUIRE(t.done);
}

TEST_CASE("tunnel, Redis does not answer: it stays") {
  play t;
  (void)t.open(handshake(), switching);
  t.redis.stop();
  test::run_for(t.b.worker.context, 20ms);
  t.b.pass(10s);
  CHECK_FALSE(t.done);
  CHECK(t.why() == "open");
}

TEST_CASE("what nobody has opened, or ends by itself, is not watched") {
  play t("{ path: /none/**, upstream: app, auth: none }, { path: /**, upstream: app, auth: optional }");
  SECTION("a route where nobody is asked") {
    (void)t.open(handshake(cookie, "/none/a"), switching);
  }
  SECTION("nobody on a route where somebody may be") {
    (void)t.open(handshake(""), switching);
  }
  SECTION("an answer of another kind") {
    (void)t.open("GET /a HTTP/1.1\r\nHost: h\r\n" + cookie + "\r\n",
                 "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nand");
  }
  CHECK(t.live().streams() == 0);
  t.log_out();
  CHECK_FALSE(t.done);
}

TEST_CASE("event stream of a session that ends: an end after a whole event, a break in the middle of one") {
  struct row {
    std::string data;
    std::string end;  ///< what the client sees
    bool goes_on;     ///< its connection
  };
  auto const [data, end, goes_on] = GENERATE_REF(values<row>({
      {"data: 1\n\n", "0\r\n\r\n", true},
      {"data: 1\r\n\r\n", "0\r\n\r\n", true},
      {"data: 1\n\n: still here\n\n", "0\r\n\r\n", true},
      {"", "0\r\n\r\n", true},
      {"data: 1\n\ndata: 2\n", "", false},
      {"data: 1", "", false},
  }));
  CAPTURE(data);
  play t;
  auto const got = t.open("GET /a HTTP/1.1\r\nHost: h\r\n" + cookie + "\r\n",
                          events + "Transfer-Encoding: chunked\r\n\r\n" + (data.empty() ? "" : chunk(data)));
  CHECK(got.ends_with(data.empty() ? "\r\n\r\n" : chunk(data)));
  REQUIRE(t.live().streams() == 1);
  t.log_out();
  REQUIRE(t.done);
  CHECK(t.b.client.read() == end);
  CHECK(t.b.x.close == !goes_on);
  CHECK(t.why() == "logout");
  CHECK_FALSE(t.b.x.refused);
  CHECK(t.b.worker.cluster(0).idle() == 0);  // that answer has no end
  CHECK(t.b.worker.cluster(0).open() == 0);
}

TEST_CASE("event stream of a session that ends, to a client for which closing is the end") {
  auto const whole = GENERATE(true, false);
  play t;
  (void)t.open("GET /a HTTP/1.0\r\nHost: h\r\n" + cookie + "\r\n",
               events + "\r\n" + (whole ? "data: 1\n\n" : "data: "));
  REQUIRE(t.live().streams() == 1);
  t.log_out();
  REQUIRE(t.done);
  CHECK(t.b.x.close);
  CHECK(t.b.x.abort == !whole);
}

TEST_CASE("event stream of a session that ends, while its client takes nothing") {
  play t;
  (void)t.open("GET /a HTTP/1.1\r\nHost: h\r\n" + cookie + "\r\n",
               events + "Transfer-Encoding: chunked\r\n\r\n" + chunk("data: 1\n\n"));
  auto const line = chunk("data: " + std::string(4'000, 'x') + "\n\n");
  for (int i = 0; i < 3'000; ++i) {
    (void)::send(t.upstream.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    test::settle(t.b.worker.context);
  }
  REQUIRE_FALSE(t.done);
  t.log_out();
  REQUIRE(t.done);
  CHECK(t.b.x.close);
  CHECK(t.why() == "logout");
  std::string rest;
  while (true) {
    auto const more = t.b.client.read();
    if (more.empty()) break;
    rest = more;
  }
  CHECK_FALSE(rest.ends_with("0\r\n\r\n"));
}

TEST_CASE("request that is marked as passive: the session is not extended") {
  struct row {
    std::string header;
    bool touched;
  };
  auto const [header, touched] = GENERATE_REF(values<row>({
      {"", true},
      {"Doorward-Passive: 1\r\n", false},
      {"Doorward-Passive: 0\r\n", true},
      {"Doorward-Passive: 1\r\nDoorward-Passive: 0\r\n", false},
  }));
  CAPTURE(header);
  play t;
  t.record[5] = std::to_string(wall_now() - 120'000);
  t.request("GET /a HTTP/1.1\r\nHost: h\r\n" + cookie + header + "\r\n");
  t.answer("HTTP/1.1 204 No Content\r\n\r\n");
  t.finish();
  CHECK(t.upstream.read().find("assive") == std::string::npos);
  test::run_for(t.b.worker.context, 20ms);
  auto const scripts = std::ranges::count_if(t.redis.seen, [](auto const& c) { return c[0] == "EVALSHA"; });
  CHECK((scripts > 0) == touched);
}

TEST_CASE("open tunnel counts as activity where that is wanted, and not for passive ones") {
  struct row {
    std::string streams;
    std::string route;
    std::string header;
    bool touched;
  };
  auto const [streams, route, header, touched] = GENERATE_REF(values<row>({
      {"true", "", "", true},
      {"false", "", "", false},
      {"true", ", auth: passive", "", false},
      {"true", "", "Doorward-Passive: 1\r\n", false},
  }));
  CAPTURE(streams, route, header);
  play t("{ path: /**, upstream: app" + route + " }", "session: { lifetime: { streams: " + streams + " } }\n");
  (void)t.open(handshake(cookie + header), switching);
  t.record[5] = std::to_string(wall_now() - 120'000);
  t.redis.seen.clear();
  t.recheck();
  auto const scripts = std::ranges::count_if(t.redis.seen, [](auto const& c) { return c[0] == "EVALSHA"; });
  CHECK((scripts > 0) == touched);
  CHECK_FALSE(t.done);
}
