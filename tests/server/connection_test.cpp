#include <string>
#include <vector>

#include "catch.hpp"
#include "event_loop.hpp"
#include "model.hpp"
#include "server/http1_connection.hpp"
#include "stream_pair.hpp"

// A client's connection over its whole life, on routes that doorward answers itself.

namespace {

using namespace std::chrono_literals;
using namespace doorward;
using namespace doorward::test;

std::string const routes = R"(
server:
  timeouts: { header: 10s, idle: 75s }
  limits: { header_bytes: 16KiB, target_bytes: 1KiB }
routes:
  - { path: /gone, respond: 410, auth: none }
  - { path: /**, respond: 204, auth: none }
)";

std::string get(std::string const& path, std::string const& more = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + more + "\r\n";
}

struct bench {
  obs::log_writer nowhere{-1};
  config::model const model = model_of(smallest + routes);
  runtime::shared_state shared{model};
  runtime::worker worker{0, 1, model, shared, nowhere, obs::access_style::json};
  server::listener listener{worker};
  descriptor client;

  bench() { client = connect(); }
  ~bench() {
    listener.cut();
    settle(worker.context);
    pass(3s);
  }

  descriptor connect() {
    auto ends = socket_pair();
    net::socket s(worker.context, net::asio::generic::stream_protocol(AF_UNIX, 0), ends.first.release());
    server::place place(shared.connections, shared.per_listener[0]);
    pipeline::peer p;
    p.text = "192.0.2.1";
    net::spawn(server::http1_connection::serve(listener, std::move(s), std::move(place), std::move(p), false));
    settle(worker.context);
    return std::move(ends.second);
  }
  void pass(milliseconds by) {
    auto now = worker.wheel.now();
    for (auto const end = now + by; now < end;) {
      now = std::min(end, now + deadline_wheel::tick);
      worker.wheel.advance(now);
      settle(worker.context);
    }
  }
  /// Sends, and lets happen what comes of it.
  void send(std::string const& bytes) {
    REQUIRE(client.write(bytes));
    settle(worker.context);
  }
  /// The statuses of the answers that have come, one after the other: "204 410".
  std::string answers() {
    auto const text = client.read();
    std::string all;
    for (auto at = text.find("HTTP/1.1 "); at != std::string::npos; at = text.find("HTTP/1.1 ", at + 1))
      all += (all.empty() ? "" : " ") + text.substr(at + 9, 3);
    closes = text.find("Connection: close\r\n") != std::string::npos;
    return all;
  }
  bool closes = false;  ///< one of the answers said so
};

}  // namespace

TEST_CASE("requests, one after the other on one connection") {
  bench b;
  b.send(get("/a"));
  CHECK(b.answers() == "204");
  CHECK_FALSE(b.closes);
  b.send(get("/gone"));
  CHECK(b.answers() == "410");
  CHECK(b.client.state() == "nothing");
}

TEST_CASE("requests, all at once: answered in order") {
  bench b;
  b.send(get("/a") + get("/gone") + get("/b"));
  CHECK(b.answers() == "204 410 204");
}

TEST_CASE("request, byte by byte") {
  bench b;
  auto const request = get("/a");
  for (auto const c : request.substr(0, request.size() - 1))
    b.send({c});
  CHECK(b.answers().empty());
  b.send("\n");
  CHECK(b.answers() == "204");
}

TEST_CASE("a body of a request that was answered without it is never taken for a request") {
  struct row {
    std::string framing;
    std::string body;
    std::string answers;
  };
  auto const smuggled = get("/gone");
  auto const [framing, body, answers] = GENERATE_REF(values<row>({
      {"Content-Length: " + std::to_string(smuggled.size()) + "\r\n", smuggled, "204 204"},
      {"Transfer-Encoding: chunked\r\n", "1c\r\n" + smuggled + "\r\n0\r\n\r\n", "204"},
      {"Content-Length: 70000\r\n", smuggled + std::string(70000 - smuggled.size(), 'x'), "204"},
  }));
  CAPTURE(framing);
  bench b;
  b.send("POST /a HTTP/1.1\r\nHost: h\r\n" + framing + "\r\n" + body + get("/b"));
  CHECK(b.answers() == answers);
}

TEST_CASE("the connection ends after the answer, where somebody says so") {
  auto const request =
      GENERATE_REF(as<std::string>{}, get("/a", "Connection: close\r\n"), std::string("GET /a HTTP/1.0\r\n\r\n"));
  CAPTURE(request);
  bench b;
  b.send(request + get("/b"));
  CHECK(b.answers() == "204");
  CHECK(b.closes);
  CHECK(b.client.state() == "end");
}

TEST_CASE("a head that cannot be read: one answer, and the end; what follows is not looked at") {
  struct row {
    std::string bytes;
    std::string answer;
  };
  auto const [bytes, answer] = GENERATE(values<row>({
      {"GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", "400"},
      {"GET / HTTP/1.1\nHost: h\n\n", "400"},
      {"\x16\x03\x01\x02\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET /" + std::string(2000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", "414"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n", "431"},
  }));
  CAPTURE(bytes.substr(0, 40));
  bench b;
  b.send(bytes + get("/gone"));
  CHECK(b.answers() == answer);
  CHECK(b.closes);
  CHECK(b.client.state() == "end");
}

TEST_CASE("a head that comes too slowly: one deadline for all of it") {
  bench b;
  b.send("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 9; ++i) {
    b.pass(1s);
    b.send("X: 1\r\n");
  }
  CHECK(b.answers().empty());
  b.pass(1s + 100ms);
  CHECK(b.answers() == "408");
  CHECK(b.client.state() == "end");
}

TEST_CASE("no request: closed after its time, without a word") {
  bench b;
  bool const used = GENERATE(false, true);
  CAPTURE(used);
  auto time = 10s;  // a connection that has not asked for anything yet has no credit
  if (used) {
    b.send(get("/a"));
    (void)b.client.read();
    time = 75s;
  }
  b.pass(time - 500ms);
  CHECK(b.client.state() == "nothing");
  b.pass(1s);
  CHECK(b.client.state() == "end");
  CHECK(b.shared.connections == 0);
}

TEST_CASE("the client ends: so does the connection, and all counts are back") {
  bench b;
  CHECK(b.worker.connections_idle == 1);
  b.send(get("/a"));
  CHECK(b.worker.connections_idle == 1);
  CHECK(b.worker.connections_active == 0);
  SECTION("between requests") {}
  SECTION("within a head") {
    b.send("GET / HT");
  }
  SECTION("within a body") {
    b.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
  }
  b.client.close();
  settle(b.worker.context);
  b.pass(3s);
  CHECK(b.worker.connections_idle == 0);
  CHECK(b.worker.connections_active == 0);
  CHECK(b.shared.connections == 0);
  CHECK(b.listener.idle());
}

TEST_CASE("draining, nothing under way: a last chance, then the end") {
  bench b;
  b.send(get("/a"));
  (void)b.client.read();
  b.listener.drain();
  settle(b.worker.context);
  CHECK(b.client.state() == "nothing");
  SECTION("a request that was on its way is answered, and told") {
    b.pass(500ms);
    b.send(get("/gone"));
    CHECK(b.answers() == "410");
    CHECK(b.closes);
  }
  SECTION("none comes") {
    b.pass(900ms);
    CHECK(b.client.state() == "nothing");
    b.pass(200ms);
  }
  CHECK(b.client.state() == "end");
  CHECK(b.listener.idle());
}

TEST_CASE("draining, a head is being read: its request is served, and told") {
  bench b;
  auto const request = get("/gone");
  b.send(request.substr(0, 10));
  b.listener.drain();
  settle(b.worker.context);
  b.send(request.substr(10));
  CHECK(b.answers() == "410");
  CHECK(b.closes);
  CHECK(b.client.state() == "end");
}

TEST_CASE("draining, requests wait in line: the first is the last") {
  bench b;
  auto const request = get("/gone");
  b.send(request.substr(0, 10));
  b.listener.drain();
  b.send(request.substr(10) + get("/a"));
  CHECK(b.answers() == "410");
  CHECK(b.client.state() == "end");
}

TEST_CASE("cut, everything ends at once") {
  bench b;
  auto const idle = b.connect();
  b.send("GET / HTTP/1.1\r\n");
  b.listener.cut();
  settle(b.worker.context);
  b.pass(3s);
  CHECK(idle.state() == "end");
  CHECK(b.client.state() == "end");
  CHECK(b.listener.idle());
}

TEST_CASE("after the last answer, what the client still sends is read for a while, so that it sees the answer") {
  bench b;
  b.send("nonsense\r\n\r\n");
  CHECK(b.answers() == "400");
  CHECK(b.shared.connections == 1);
  SECTION("until it ends") {
    b.client.close();
  }
  SECTION("or two seconds") {
    for (int i = 0; i < 19; ++i) {
      b.send("more");
      b.pass(100ms);
    }
    CHECK(b.shared.connections == 1);
    b.pass(200ms);
  }
  SECTION("or too much") {
    for (int i = 0; i < 5; ++i) {
      (void)b.client.write(std::string(64 * 1024, 'x'));
      settle(b.worker.context);
    }
  }
  settle(b.worker.context);
  CHECK(b.shared.connections == 0);
}
