#include "exchange_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

// The client's side of an exchange, request: what downstream makes of the bytes behind a head.

namespace {

using reading = running<result<std::span<char>>>;

std::string const get_next = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";

std::string post(std::string const& framing) {
  return head_of("POST /a HTTP/1.1", {"Host: h", framing});
}

// A head of this many bytes.
std::string padded_post(std::string const& framing, std::size_t bytes) {
  auto const without = head_of("POST /a HTTP/1.1", {"Host: h", framing, "X-Pad: "}).size();
  return head_of("POST /a HTTP/1.1", {"Host: h", framing, "X-Pad: " + std::string(bytes - without, 'p')});
}

std::string text(std::span<char> bytes) {
  return {bytes.begin(), bytes.end()};
}

struct whole_body {
  std::string text;
  std::string outcome;
};
net::task<> read_all(exchange_fixture& b, std::uint64_t limit, whole_body& into) {
  for (;;) {
    auto const data = co_await b.down.read_body(b.watch, limit);
    if (!data) {
      into.outcome = about(to_errc(data.error())).reason;
      co_return;
    }
    if (data->empty()) {
      into.outcome = "whole";
      co_return;
    }
    into.text.append(data->begin(), data->end());
  }
}

constexpr std::uint64_t no_limit = 1'000'000'000;

}  // namespace

TEST_CASE("body, in the buffer as a whole: taken at once") {
  exchange_fixture b;
  REQUIRE(outcome(b.received(post("Content-Length: 5") + "hello" + get_next)) == "ok");
  CHECK(text(b.down.take_buffered_body()) == "hello");
  CHECK(b.down.body_finished());
  CHECK(b.down.body_bytes() == 5);
  CHECK(b.down.pending_bytes() == get_next);
}

TEST_CASE("body, not to be taken as a whole") {
  struct row {
    std::string framing;
    std::string there;
    bool finished;
  };
  auto const [framing, there, finished] = GENERATE(values<row>({
      {"Content-Length: 5", "hell", false},
      {"Content-Length: 5", "", false},
      {"Transfer-Encoding: chunked", "0\r\n\r\n", false},
      {"Accept: */*", "", true},
      {"Content-Length: 0", "", true},
  }));
  CAPTURE(framing, there);
  exchange_fixture b;
  REQUIRE(outcome(b.received(post(framing) + there)) == "ok");
  CHECK(b.down.take_buffered_body().empty());
  CHECK(b.down.body_finished() == finished);
  CHECK(b.down.pending_bytes() == there);
}

TEST_CASE("body, read as it comes") {
  exchange_fixture b;
  REQUIRE(outcome(b.received(post("Content-Length: 11") + "hello")) == "ok");
  reading first(b.down.read_body(b.watch, no_limit));
  REQUIRE(first.ended);
  CHECK(text(first.ended->value()) == "hello");

  reading second(b.down.read_body(b.watch, no_limit));
  CHECK_FALSE(second.ended);
  b.client.write(" world" + get_next);
  test::settle(b.worker.context);
  REQUIRE(second.ended);
  CHECK(text(second.ended->value()) == " world");
  CHECK(b.down.body_finished());

  reading end(b.down.read_body(b.watch, no_limit));
  REQUIRE(end.ended);
  CHECK(end.ended->value().empty());
  CHECK(b.down.body_bytes() == 11);
  CHECK(b.down.pending_bytes() == get_next);
}

TEST_CASE("body, the head stays as it is while a body goes through the room behind it") {
  exchange_fixture b;
  auto const size = GENERATE(100u, 20'000u, 100'000u);
  auto const head_bytes = GENERATE(std::size_t{100}, net::buffer_pool::block - 1000, net::buffer_pool::block);
  CAPTURE(size, head_bytes);
  auto const head = padded_post("Content-Length: " + std::to_string(size), head_bytes);
  REQUIRE(outcome(b.received(head)) == "ok");
  std::string body;
  while (body.size() < size)
    body += std::to_string(body.size()) + ' ';
  body.resize(size);
  REQUIRE(b.client.write(body + get_next));

  whole_body got;
  net::spawn(read_all(b, no_limit, got));
  CHECK(got.outcome == "whole");
  CHECK((got.text == body));
  CHECK(b.x.head_bytes == head);
  CHECK(b.x.head.find("host")->value == "h");
}

TEST_CASE("body, chunked: pieces of any size, and what follows belongs to the next request") {
  exchange_fixture b;
  auto const head_bytes = GENERATE(std::size_t{100}, net::buffer_pool::block);
  CAPTURE(head_bytes);
  std::string const wire = "5\r\nhello\r\n1;x=y\r\n \r\n5\r\nworld\r\n0\r\nX-Trailer: 1\r\n\r\n" + get_next;
  auto const cut = GENERATE(0u, 1u, 3u, 9u, 14u, 24u, 40u, 60u);
  REQUIRE(outcome(b.received(padded_post("Transfer-Encoding: chunked", head_bytes) + wire.substr(0, cut))) == "ok");
  whole_body got;
  net::spawn(read_all(b, no_limit, got));
  for (auto const c : wire.substr(cut, 20)) {  // byte by byte, then all
    b.client.write({&c, 1});
    test::settle(b.worker.context);
  }
  b.client.write(wire.substr(std::min(wire.size(), cut + std::size_t{20})));
  test::settle(b.worker.context);
  CHECK(got.outcome == "whole");
  CHECK(got.text == "hello world");
  CHECK(b.down.body_bytes() == 11);

  b.down.end_request();
  CHECK(get_next.starts_with(b.buffer.data()));
  CHECK(b.buffer.begin_offset() == 0);
}

TEST_CASE("body, by how it may fail") {
  struct row {
    std::string framing;
    std::string sent;
    std::uint64_t limit;
    bool ends;
    std::string outcome;
    std::string text;
  };
  auto const [framing, sent, limit, ends, expected, so_far] = GENERATE(values<row>({
      {"Content-Length: 10", "hello", no_limit, true, "client_gone", "hello"},
      {"Content-Length: 10", "hello", no_limit, false, "request_timeout", "hello"},
      {"Transfer-Encoding: chunked", "5\r\nhello\r\n", no_limit, true, "client_gone", "hello"},
      {"Transfer-Encoding: chunked", "5\r\nhello\r\n", no_limit, false, "request_timeout", "hello"},
      {"Transfer-Encoding: chunked", "x\r\n", no_limit, false, "bad_request", ""},
      {"Transfer-Encoding: chunked", "5\nhello\r\n", no_limit, false, "bad_request", ""},
      {"Transfer-Encoding: chunked", "5\r\nhello\r\n", 5, false, "request_timeout", "hello"},
      {"Transfer-Encoding: chunked", "6\r\nhello!\r\n", 5, false, "body_too_large", ""},
  }));
  CAPTURE(framing, sent, ends);
  exchange_fixture b;
  REQUIRE(outcome(b.received(post(framing))) == "ok");
  b.client.write(sent);
  if (ends) b.client.end_sending();
  whole_body got;
  net::spawn(read_all(b, limit, got));
  if (expected == "request_timeout") {
    b.pass(b.worker.view.config.server.timeouts.body_idle - 100ms);
    CHECK(got.outcome.empty());
    b.pass(200ms);
  }
  CHECK(got.outcome == expected);
  CHECK(got.text == so_far);
}

TEST_CASE("request ended, what came early is where the next one is read from") {
  struct row {
    std::string framing;
    std::string body;
    std::size_t head_bytes;
  };
  auto const block = net::buffer_pool::block;
  auto const [framing, body, head_bytes] = GENERATE_REF(values<row>({
      {"Content-Length: 0", "", 100},
      {"Content-Length: 5", "hello", 100},
      {"Content-Length: 5", "hello", block - 100},  // the rest is read into a block of its own
      {"Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n", 100},
      {"Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n", block},
  }));
  CAPTURE(framing, head_bytes);
  exchange_fixture b;
  REQUIRE(outcome(b.received(padded_post(framing, head_bytes))) == "ok");
  b.client.write(body + get_next + get_next);
  whole_body got;
  net::spawn(read_all(b, no_limit, got));
  REQUIRE(got.outcome == "whole");
  b.down.end_request();
  // What has been read is in front; the rest is still with the kernel.
  std::string rest(b.buffer.data());
  char more[256];
  auto const r = b.connection.stream.try_read(more);
  rest.append(more, r.bytes);
  CHECK(rest == get_next + get_next);
  CHECK(b.buffer.begin_offset() == 0);
}

TEST_CASE("request ended, more came early than a block holds") {
  exchange_fixture b;
  // A head so long that the body goes to a block of its own, and that one full of the next requests.
  REQUIRE(outcome(b.received(padded_post("Content-Length: 5", net::buffer_pool::block))) == "ok");
  std::string const flood(net::buffer_pool::block - 5, 'n');
  b.client.write("hello" + flood);
  whole_body got;
  net::spawn(read_all(b, no_limit, got));
  REQUIRE(got.outcome == "whole");
  REQUIRE(b.down.pending_bytes().size() == flood.size());
  b.down.end_request();
  CHECK((b.buffer.data() == flood));
}

TEST_CASE("continue, said once to a client that waits, and to nobody else") {
  exchange_fixture b;
  bool const waits = GENERATE(true, false);
  auto const request = waits ? head_of("POST / HTTP/1.1", {"Host: h", "Content-Length: 5", "Expect: 100-continue"})
                             : post("Content-Length: 5");
  REQUIRE(outcome(b.received(request)) == "ok");
  running<bool> first(b.down.send_continue());
  REQUIRE(first.ended);
  CHECK(*first.ended);
  running<bool> second(b.down.send_continue());
  REQUIRE(second.ended);
  CHECK(*second.ended);
  CHECK(b.client.read() == (waits ? "HTTP/1.1 100 Continue\r\n\r\n" : ""));
}

TEST_CASE("continue, the client has gone") {
  exchange_fixture b;
  REQUIRE(outcome(b.received(head_of("POST / HTTP/1.1", {"Host: h", "Content-Length: 5", "Expect: 100-continue"}))) ==
          "ok");
  b.client.close();
  running<bool> said(b.down.send_continue());
  REQUIRE(said.ended);
  CHECK_FALSE(*said.ended);
}

TEST_CASE("body nobody wants, by how much of it there is") {
  struct row {
    char const* what;
    std::vector<std::string> fields;
    std::string sent;
    bool fit;  // for another request
  };
  std::string const budget(64 * 1024, 'x');
  auto const [what, fields, sent, fit] = GENERATE_REF(values<row>({
      {"none", {}, "", true},
      {"all here", {"Content-Length: 5"}, "hello", true},
      {"as much as is borne", {"Content-Length: 65536"}, budget, true},
      {"more", {"Content-Length: 65537"}, budget + "x", false},
      {"much more, and none of it sent", {"Content-Length: 99999999"}, "", false},
      {"chunked, little", {"Transfer-Encoding: chunked"}, "5\r\nhello\r\n0\r\n\r\n", true},
      {"chunked, as much as is borne", {"Transfer-Encoding: chunked"}, "10000\r\n" + budget + "\r\n0\r\n\r\n", true},
      {"chunked, more", {"Transfer-Encoding: chunked"}, "10001\r\n" + budget + "x\r\n0\r\n\r\n", false},
      {"chunked, broken", {"Transfer-Encoding: chunked"}, "rubbish\r\n", false},
      {"the client waits to be asked", {"Content-Length: 5", "Expect: 100-continue"}, "", false},
  }));
  CAPTURE(what);
  exchange_fixture b;
  auto all = fields;
  all.emplace_back("Host: h");
  REQUIRE(outcome(b.received(head_of("POST / HTTP/1.1", all))) == "ok");
  b.client.write(sent + get_next);
  running<bool> done(b.down.discard_body());
  REQUIRE(done.ended);
  CHECK(*done.ended == fit);
}

TEST_CASE("body nobody wants, slow: it has a second in all") {
  exchange_fixture b;
  REQUIRE(outcome(b.received(post("Content-Length: 100"))) == "ok");
  running<bool> done(b.down.discard_body());
  for (int i = 0; i < 9; ++i) {
    CHECK_FALSE(done.ended);
    b.client.write("x");
    b.pass(100ms);
  }
  b.pass(200ms);
  REQUIRE(done.ended);
  CHECK_FALSE(*done.ended);
  // The limit was for this only.
  std::optional<bool> later;
  net::spawn([](exchange_fixture& on, std::optional<bool>& said) -> net::task<> {
    bool const in_time = co_await on.connection.stream.readable(on.watch, 10s);
    said = in_time;
  }(b, later));
  b.pass(5s);
  CHECK_FALSE(later);
}

TEST_CASE("body nobody wants, part of it was read before") {
  exchange_fixture b;
  REQUIRE(outcome(b.received(post("Content-Length: 100000") + std::string(10'000, 'x'))) == "ok");
  reading first(b.down.read_body(b.watch, no_limit));
  REQUIRE(first.ended);
  // 90,000 bytes are left, which is too much.
  running<bool> done(b.down.discard_body());
  REQUIRE(done.ended);
  CHECK_FALSE(*done.ended);
}

TEST_CASE("body nobody wants, the client goes") {
  exchange_fixture b;
  REQUIRE(outcome(b.received(post("Content-Length: 100") + "x")) == "ok");
  running<bool> done(b.down.discard_body());
  b.client.end_sending();
  test::settle(b.worker.context);
  REQUIRE(done.ended);
  CHECK_FALSE(*done.ended);
}
