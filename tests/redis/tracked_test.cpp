#include "client_fixture.hpp"

using namespace doorward;
using namespace doorward::test;
using redis::error_kind;

namespace {

/// Asks as a look-up does whether its reply was tracked.
struct asker final : redis::waiter {
  explicit asker(redis::client& c) noexcept : client(c) {}
  void on_reply(redis::reply const& r) noexcept override {
    tracked = client.tracked();
    text = r.text;
  }
  void on_turn() noexcept override { done = true; }

  redis::client& client;
  std::string text;
  bool done = false, tracked = false;
};

struct tracking : fixture {
  std::string consent = "+OK\r\n";

  tracking() {
    server.answer = [this](auto& c, auto const& argv) {
      c.send(argv[0] == "CLIENT" ? consent : "$" + std::to_string(argv[1].size()) + "\r\n" + argv[1] + "\r\n");
    };
  }
  bool send(asker& a, std::string_view key, bool with_consent) {
    std::string_view const argv[] = {"GET", key};
    return with_consent ? client->submit_tracked(argv, a) : client->submit(argv, a);
  }
};

}  // namespace

TEST_CASE_METHOD(tracking, "consent leaves right before its command, in the same write, and counts for that one") {
  connect();
  server.reads = 0;
  asker before{*client}, one{*client}, after{*client};
  REQUIRE(send(before, "before", false));
  REQUIRE(send(one, "one", true));
  REQUIRE(send(after, "after", false));
  REQUIRE(run_until(context, [&] { return after.done; }));
  CHECK(server.reads == 1);
  CHECK(server.seen == std::vector<fake_redis::command>{
                           {"GET", "before"}, {"CLIENT", "CACHING", "YES"}, {"GET", "one"}, {"GET", "after"}});
  for (auto const* a : {&before, &one, &after})
    CHECK_FALSE(a->error());
  CHECK(one.text == "one");
  CHECK_FALSE(before.tracked);
  CHECK(one.tracked);
  CHECK_FALSE(after.tracked);
  CHECK(client->stats().commands == 3);
}

TEST_CASE_METHOD(tracking, "consent that is refused costs the command nothing, and is no trouble") {
  consent = GENERATE(as<std::string>{}, "-NOPERM no\r\n", "-ERR not in tracking mode\r\n", ":1\r\n");
  connect();
  asker one{*client}, other{*client};
  REQUIRE(send(one, "one", true));
  REQUIRE(send(other, "other", true));
  REQUIRE(run_until(context, [&] { return other.done; }));
  CHECK_FALSE(one.error());
  CHECK(one.text == "one");
  CHECK(other.text == "other");
  CHECK_FALSE(one.tracked);
  CHECK_FALSE(other.tracked);
  CHECK(watch.troubles.empty());
  CHECK_FALSE(client->trouble());
  CHECK(client->connected());
}

TEST_CASE_METHOD(tracking, "no answer in time is counted once, and late ones find nobody") {
  config.command_timeout = milliseconds{100};
  connect();
  server.answer = [](auto&, auto const&) {};
  asker late{*client}, next{*client};
  REQUIRE(send(late, "late", true));
  REQUIRE(run_until(context, [&] { return late.done; }));
  CHECK(late.error() == errc::store_timeout);
  CHECK(errors(error_kind::timeout) == 1);
  REQUIRE(send(next, "next", false));
  REQUIRE(run_until(context, [&] { return server.seen.size() == 3; }));
  server.last().send("+OK\r\n$4\r\nlate\r\n$4\r\nnext\r\n");
  REQUIRE(run_until(context, [&] { return next.done; }));
  CHECK(next.text == "next");
  CHECK_FALSE(next.tracked);
}

TEST_CASE_METHOD(tracking, "a consent whose command was lost with the connection is not the next one's") {
  connect();
  server.answer = [](auto& c, auto const& argv) {
    if (argv[0] == "CLIENT") return c.send("+OK\r\n");
    c.cut();
  };
  asker lost{*client}, next{*client};
  REQUIRE(send(lost, "lost", true));
  REQUIRE(run_until(context, [&] { return lost.done; }));
  CHECK(lost.error());
  server.answer = [](auto& c, auto const&) { c.send("$4\r\nnext\r\n"); };
  REQUIRE(run_until(context, [&] { return client->connected(); }));
  REQUIRE(send(next, "next", false));
  REQUIRE(run_until(context, [&] { return next.done; }));
  CHECK(next.text == "next");
  CHECK_FALSE(next.tracked);
}
