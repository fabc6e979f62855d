#include "doorward/redis/invalidation_feed.hpp"

#include <optional>

#include "feeding_redis.hpp"

using namespace doorward;
using namespace doorward::test;
using redis::error_kind;

namespace {

struct heard final : redis::feed_listener {
  void on_ready(long long client, std::string_view channel) noexcept override {
    number = client;
    name = channel;
    ++ready;
  }
  void on_invalidated(std::string_view key) noexcept override { keys.emplace_back(key); }
  void on_flushed() noexcept override { ++flushed; }
  void on_lost(error_kind why, std::string_view what) noexcept override {
    kinds.push_back(why);
    detail = what;
  }
  long long number = 0;
  std::string name;
  int ready = 0, flushed = 0;
  std::vector<std::string> keys;
  std::vector<error_kind> kinds;
  std::string detail;
};

struct listening {
  temporary_folder folder;
  asio::io_context context{1};
  fast_random random{7};
  mock_clock clock;
  fake_redis server{context, folder.file("redis.sock")};
  feeding redis{server};
  config::redis_config config;
  heard h;
  std::optional<redis::invalidation_feed> feed;

  listening() {
    config.server.type = config::endpoint::kind::unix_socket;
    config.server.path = server.path();
    config.connect_timeout = milliseconds{1000};
    config.command_timeout = milliseconds{250};
  }
  ~listening() {
    feed->close();
    settle(context);
  }
  void start() {
    feed.emplace(context, clock.wheel, config, random, h);
    feed->start();
  }
  void connect() {
    start();
    settle(context);
    REQUIRE(h.ready == 1);
    server.seen.clear();
  }
};

}  // namespace

TEST_CASE_METHOD(listening, "a feed says who it is, and hears its own channel and Redis's") {
  config.username = "door";
  config.password = redacted{"secret"};
  start();
  settle(context);
  REQUIRE(h.ready == 1);
  CHECK(h.number == 7);
  CHECK(h.name.starts_with("doorward:feed:"));
  using command = fake_redis::command;
  CHECK(server.seen == std::vector<command>{{"AUTH", "door", "secret"},
                                            {"CLIENT", "ID"},
                                            {"SUBSCRIBE", h.name, "__redis__:invalidate"}});
}

TEST_CASE_METHOD(listening, "keys, all keys, and what others say") {
  connect();
  redis.invalidate("session:a");
  redis.say("*2\r\n" + bulk("session:b") + bulk("session:c"));
  redis.feed->send("*3\r\n" + bulk("message") + bulk(h.name) + bulk(""));
  settle(context);
  CHECK(h.keys == std::vector<std::string>{"session:a", "session:b", "session:c"});
  CHECK(h.flushed == 0);
  redis.say("*-1\r\n");
  redis.say("$-1\r\n");
  redis.say("*0\r\n");
  settle(context);
  CHECK(h.flushed == 3);
  CHECK(h.kinds.empty());
}

TEST_CASE_METHOD(listening, "what has arrived can be taken without waiting for it") {
  connect();
  redis.invalidate("session:a");
  CHECK(h.keys.empty());
  feed->take();
  CHECK(h.keys == std::vector<std::string>{"session:a"});
  redis.feed->cut();
  feed->take();
  CHECK(h.kinds == std::vector{error_kind::reset});
}

TEST_CASE_METHOD(listening, "a message in pieces") {
  connect();
  std::string const key(40'000, 'k');
  auto const whole = "*3\r\n" + bulk("message") + bulk("__redis__:invalidate") + "*1\r\n" + bulk(key);
  for (std::size_t at = 0; at < whole.size(); at += 7000) {
    CHECK(h.keys.empty());
    redis.feed->send(whole.substr(at, 7000));
    settle(context);
  }
  CHECK(h.keys == std::vector<std::string>{key});
}

TEST_CASE_METHOD(listening, "what is no message ends it") {
  std::string const endless = "*3\r\n" + bulk("message") + bulk("__redis__:invalidate") + "$600000\r\n";
  auto const what = GENERATE_COPY(as<std::string>{}, "?\r\n", "+OK\r\n", ":1\r\n", "*2147483647\r\n", endless,
                                  "*3\r\n" + bulk("message") + bulk("another") + bulk("x"));
  connect();
  redis.feed->send(what);
  settle(context);
  CHECK(h.kinds == std::vector{error_kind::protocol});
}

TEST_CASE_METHOD(listening, "it asks every second whether Redis is there, and is lost when it is not") {
  connect();
  clock.pass(context, milliseconds{3300});
  CHECK(redis.pings == 3);
  CHECK(h.kinds.empty());
  redis.silent = true;
  clock.pass(context, milliseconds{800});
  CHECK(redis.pings == 4);
  CHECK(h.kinds.empty());
  clock.pass(context, milliseconds{300});
  CHECK(h.kinds == std::vector{error_kind::timeout});
}

TEST_CASE_METHOD(listening, "an answer that is here when the thread gets to look is in time") {
  connect();
  redis.silent = true;
  clock.pass(context, milliseconds{1100});
  REQUIRE(redis.pings == 1);
  redis.feed->send("*2\r\n" + bulk("pong") + bulk(""));
  clock.now += std::chrono::seconds{10};
  clock.wheel.advance(clock.now);
  settle(context);
  CHECK(h.kinds.empty());
}

TEST_CASE_METHOD(listening, "lost, it comes back by itself; left, it takes its time") {
  connect();
  redis.feed->cut();
  settle(context);
  CHECK(h.kinds.size() == 1);
  REQUIRE(run_until(context, [&] { return h.ready == 2; }));
  feed->leave("why not");
  CHECK(h.detail == "why not");
  CHECK(h.kinds.back() == error_kind::reset);
  run_for(context, milliseconds{150});
  CHECK(h.ready == 2);
}

TEST_CASE_METHOD(listening, "a refusal is told with its kind, and without the password") {
  struct row {
    std::string text;
    error_kind kind;
  };
  auto const r =
      GENERATE(row{"-NOPERM no channel for you\r\n", error_kind::permission},
               row{"-ERR unknown command\r\n", error_kind::other}, row{"-LOADING not yet\r\n", error_kind::loading});
  redis.refuses_to_listen = r.text;
  start();
  settle(context);
  CHECK(h.ready == 0);
  CHECK(h.kinds == std::vector{r.kind});
  CHECK(h.detail == "SUBSCRIBE refused: " + r.text.substr(1, r.text.size() - 3));
}

TEST_CASE_METHOD(listening, "nobody there, and a server that does not answer") {
  server.stop();
  start();
  settle(context);
  CHECK(h.kinds == std::vector{error_kind::refused});
  server.restart(context);
  server.mute = true;
  REQUIRE(run_until(context, [&] { return !server.seen.empty(); }));
  clock.pass(context, milliseconds{1100});
  CHECK(h.kinds.back() == error_kind::timeout);
}

TEST_CASE_METHOD(listening, "closed, it tells nobody, and nothing is left to wait for") {
  connect();
  feed->close();
  CHECK(settle(context) > 0);
  CHECK(h.kinds.empty());
}
