#include "exchange_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

// The client's side of an exchange, answer: what leaves at once, and what is kept for later.

namespace {

using sent = downstream::sent;

std::string numbered(std::size_t size) {
  std::string out;
  while (out.size() < size)
    out += std::to_string(out.size()) + ' ';
  out.resize(size);
  return out;
}

}  // namespace

TEST_CASE("head, body and tail leave as one") {
  exchange_fixture b;
  std::string body = "body";
  CHECK(b.down.send("head ", body, " tail") == sent::all);
  CHECK(b.client.read() == "head body tail");
  CHECK(b.down.send("head alone") == sent::all);
  CHECK(b.client.read() == "head alone");
}

TEST_CASE("the client has gone") {
  exchange_fixture b;
  b.client.close();
  CHECK(b.down.send("head") == sent::failed);
}

TEST_CASE("the kernel takes a part of it: the rest of head and tail is kept, for their scratch is used anew") {
  // Where the write is cut: in the head, in the body, in the tail.
  struct row {
    std::size_t head;
    std::size_t body;
    std::size_t tail;
  };
  auto const [head_size, body_size, tail_size] = GENERATE(values<row>({
      {200'000, 1000, 1000},
      {1000, 200'000, 1000},
      {1000, 1000, 200'000},
      {1000, 200'000, 0},
      {200'000, 0, 0},
      {0, 200'000, 7},
  }));
  CAPTURE(head_size, body_size, tail_size);
  exchange_fixture b;
  auto head = numbered(head_size);
  auto body = numbered(body_size);
  auto tail = numbered(tail_size);
  auto const all = head + body + tail;
  REQUIRE(b.down.send(head, body, tail) == sent::some);
  std::ranges::fill(head, '!');
  std::ranges::fill(tail, '!');
  running<bool> done(b.down.flush());
  CHECK_FALSE(done.ended);
  std::string got;
  for (int i = 0; i < 10'000 && !done.ended; ++i) {
    got += b.client.read();
    test::settle(b.worker.context);
  }
  got += b.client.read();
  REQUIRE(done.ended);
  CHECK(*done.ended);
  CHECK(got.size() == all.size());
  CHECK((got == all));
}

TEST_CASE("the kernel takes nothing of it: all of it is kept") {
  exchange_fixture b;
  auto const before = numbered(300'000);
  auto const n = b.connection.stream.try_write(before).bytes;
  std::string head = "head ";
  std::string body = "body";
  REQUIRE(b.down.send(head, body, " tail") == sent::some);
  head = "!!!!!";
  running<bool> done(b.down.flush());
  std::string got;
  for (int i = 0; i < 10'000 && !done.ended; ++i) {
    got += b.client.read();
    test::settle(b.worker.context);
  }
  got += b.client.read();
  REQUIRE(done.ended);
  CHECK(*done.ended);
  CHECK(got.substr(n) == "head body tail");
}

TEST_CASE("the client takes nothing more: given up after write_idle") {
  exchange_fixture b("server: { timeouts: { write_idle: 5s } }\nroutes: [{ path: /**, upstream: app }]\n");
  REQUIRE(b.down.send(numbered(300'000)) == sent::some);
  running<bool> done(b.down.flush());
  b.pass(4900ms);
  CHECK_FALSE(done.ended);
  (void)b.client.read();
  b.pass(4900ms);
  CHECK_FALSE(done.ended);  // it took something, so that it has its time again
  b.pass(200ms);
  REQUIRE(done.ended);
  CHECK_FALSE(*done.ended);
}

TEST_CASE("the client goes while it is written to") {
  exchange_fixture b;
  REQUIRE(b.down.send(numbered(300'000)) == sent::some);
  running<bool> done(b.down.flush());
  CHECK_FALSE(done.ended);
  b.client.close();
  test::settle(b.worker.context);
  REQUIRE(done.ended);
  CHECK_FALSE(*done.ended);
}
