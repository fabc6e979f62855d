#include "client_fixture.hpp"

using namespace doorward;
using namespace doorward::test;
using redis::error_kind;
using namespace std::string_literals;

TEST_CASE_METHOD(fixture, "no password, first database: the handshake is one PING") {
  start();
  CHECK_FALSE(client->connected());
  CHECK_FALSE(client->ever_connected());
  REQUIRE(run_until(context, [&] { return client->connected(); }));
  CHECK(client->ever_connected());
  CHECK(server.seen == std::vector<fake_redis::command>{{"PING"}});
  CHECK(watch.connected == 1);
  CHECK(client->stats().reconnects == 0);
}

TEST_CASE_METHOD(fixture, "password, user and database are in the handshake, in one write") {
  config.password = redacted{"s3cret"};
  config.database = 5;
  std::vector<fake_redis::command> expected{{"AUTH", "s3cret"}, {"SELECT", "5"}, {"PING"}};
  SECTION("password alone") {}
  SECTION("ACL user") {
    config.username = "door";
    expected[0] = {"AUTH", "door", "s3cret"};
  }
  start();
  REQUIRE(run_until(context, [&] { return client->connected(); }));
  CHECK(server.seen == expected);
  CHECK(server.reads == 1);
}

TEST_CASE_METHOD(fixture, "NOAUTH on an established connection: the handshake is done again") {
  connect();
  server.answer = [](auto& c, auto const&) {
    c.index == 0 ? c.send("-NOAUTH Authentication required.\r\n") : c.send("+yes\r\n");
  };
  CHECK(get(*this).ec == errc::store_error);
  REQUIRE(run_until(context, [&] { return client->connected() && client->stats().reconnects == 1; }));
  CHECK(get(*this).text == "yes");
}

TEST_CASE_METHOD(fixture, "READONLY on a connection that has held: another is made, in case a master is there now") {
  times.settled = milliseconds{50};
  connect();
  run_for(context, milliseconds{60});
  server.answer = [](auto& c, auto const&) { c.index == 0 ? c.send("-READONLY replica\r\n") : c.send("+yes\r\n"); };
  CHECK(get(*this).ec == errc::store_error);
  REQUIRE(run_until(context, [&] { return client->stats().reconnects == 1; }));
  CHECK(get(*this).text == "yes");
  CHECK(errors(error_kind::readonly) == 1);
}

TEST_CASE_METHOD(fixture, "a handshake that is refused is tried again, told once, and never with the password") {
  struct row {
    std::string verb, text;
    error_kind kind;
  };
  row const rows[] = {
      {"AUTH", "WRONGPASS invalid username-password pair or user is disabled.", error_kind::auth},
      {"AUTH", "ERR unknown command `AUTH`, with args beginning with: `s3cret`", error_kind::auth},
      {"SELECT", "LOADING Redis is loading the dataset in memory", error_kind::loading},
      {"SELECT", "ERR DB index is out of range", error_kind::other},
      {"PING", "NOAUTH Authentication required.", error_kind::auth},
      {"PING", "NOPERM this user has no permissions to run the 'ping' command", error_kind::permission},
  };
  config.password = redacted{"s3cret"};
  config.database = 3;
  server.greets = false;
  for (auto const& r : rows) {
    INFO(r.verb << ' ' << r.text);
    watch = {};
    server.answer = [&](auto& c, auto const& argv) { c.send(argv[0] == r.verb ? "-" + r.text + "\r\n" : "+OK\r\n"); };
    start();
    REQUIRE(run_until(context, [&] { return errors(r.kind) >= 2; }));
    CHECK_FALSE(client->connected());
    CHECK_FALSE(client->ever_connected());
    REQUIRE(watch.troubles.size() == 1);
    CHECK(watch.troubles[0].first == r.kind);
    CHECK(watch.troubles[0].second.find(r.verb) == 0);
    CHECK(watch.troubles[0].second.find("s3cret") == std::string::npos);

    server.answer = [](auto& c, auto const&) { c.send("+OK\r\n"); };
    REQUIRE(run_until(context, [&] { return client->connected(); }));
    CHECK(watch.connected == 1);
  }
}

TEST_CASE_METHOD(fixture, "a server that accepts and says nothing: the attempt ends in time, and another follows") {
  server.mute = true;
  start();
  auto const began = steady::now();
  REQUIRE(run_until(context, [&] { return errors(error_kind::timeout) == 1; }));
  CHECK(steady::now() - began < milliseconds{900});
  server.mute = false;
  REQUIRE(run_until(
      context, [&] { return client->connected(); }, milliseconds{1000}));
}

TEST_CASE_METHOD(fixture, "nobody listens: attempts are spaced, and the return is seen within the longest wait") {
  times.first_wait = milliseconds{5};
  times.longest_wait = milliseconds{90};
  server.stop();
  start();
  auto const began = steady::now();
  REQUIRE(run_until(context, [&] { return client->stats().attempts == 6; }));
  // Steps of 5, 10, 20, 40 and 80 ms, each waited for at least by half.
  CHECK(steady::now() - began >= milliseconds{77});
  CHECK(errors(error_kind::refused) == 6);
  CHECK(watch.troubles.size() == 1);
  server.restart(context);
  REQUIRE(run_until(
      context, [&] { return client->connected(); }, milliseconds{500}));
  CHECK(client->stats().attempts == 7);
}

TEST_CASE_METHOD(fixture, "a server that hangs up after every handshake is not hammered") {
  times.first_wait = milliseconds{5};
  times.longest_wait = milliseconds{90};
  start();
  auto const began = steady::now();
  REQUIRE(run_until(context, [&] {
    if (client->connected()) server.last().cut();
    return client->stats().attempts == 6;
  }));
  CHECK(steady::now() - began >= milliseconds{77});
}

TEST_CASE_METHOD(fixture, "a connection that held for longer than a wait is replaced at once") {
  times.settled = times.first_wait = times.longest_wait = milliseconds{400};
  connect();
  run_for(context, milliseconds{420});
  server.last().cut();
  REQUIRE(run_until(
      context, [&] { return client->stats().reconnects == 1; }, milliseconds{190}));
}

TEST_CASE_METHOD(fixture, "an idle connection is asked whether it is there; a dead one is replaced") {
  times.ping_after = milliseconds{150};
  config.command_timeout = milliseconds{100};
  connect();
  auto const began = steady::now();
  REQUIRE(run_until(context, [&] { return !server.seen.empty(); }));
  CHECK(steady::now() - began >= milliseconds{140});
  CHECK(server.seen == std::vector<fake_redis::command>{{"PING"}});
  CHECK(client->connected());
  server.mute = true;
  REQUIRE(run_until(context, [&] { return !client->connected(); }));
  CHECK(errors(error_kind::timeout) >= 1);
  CHECK(server.seen.size() == 2);
}

TEST_CASE_METHOD(fixture, "closing tells everybody who waits") {
  bool const destroy = GENERATE(false, true);
  connect();
  server.mute = true;
  called c[3];
  for (auto& one : c)
    net::spawn(call(*client, {"GET", "k"}, one));
  SECTION("before anything was written") {}
  SECTION("after it was written") {
    REQUIRE(run_until(context, [&] { return server.seen.size() == 3; }));
  }
  SECTION("in the middle of a reply") {
    REQUIRE(run_until(context, [&] { return server.seen.size() == 3; }));
    server.last().send("*2\r\n$1\r\na\r\n");
    run_for(context, milliseconds{10});
  }
  if (destroy)
    client.reset();
  else
    client->close();
  CHECK_FALSE(c[0].done);  // told by the turn queue, not in the middle of the destructor
  for (auto& one : c) {
    run(one);
    CHECK(one.ec == errc::store_unavailable);
  }
  if (!destroy) {
    called after;
    net::spawn(call(*client, {"GET", "k"}, after));
    CHECK(after.ec == errc::store_unavailable);
    run_for(context, milliseconds{60});
    CHECK(server.connections.size() == 1);
  }
}

TEST_CASE_METHOD(fixture, "closing while connecting") {
  server.mute = true;
  start();
  SECTION("at once") {}
  SECTION("in the handshake") {
    REQUIRE(run_until(context, [&] { return !server.seen.empty(); }));
  }
  SECTION("between attempts") {
    server.stop();
    run_for(context, milliseconds{30});
  }
  client.reset();
  settle(context);
  CHECK(watch.connected == 0);
}

TEST_CASE_METHOD(fixture, "a coroutine that closes the client when its reply comes") {
  connect();
  called other;
  auto const closer = [&]() -> net::task<> {
    called c;
    called_sink sink{c};
    std::string_view const argv[] = {"GET", "k"};
    (void)co_await client->command(argv, sink);
    client.reset();
  };
  net::spawn(closer());
  net::spawn(call(*client, {"GET", "k"}, other));
  run(other);
  CHECK_FALSE(client.has_value());
}

TEST_CASE("a path that no socket can have is refused, not cut short") {
  asio::io_context context{1};
  net::turn_queue turns{context};
  fast_random random{7};
  notes watch;
  config::redis_config config;
  config.server.type = config::endpoint::kind::unix_socket;
  config.server.path = "/tmp/" + std::string(200, 'x');
  redis::client client{turns, config, random, &watch};
  client.start();
  REQUIRE(watch.troubles.size() == 1);
  CHECK(watch.troubles[0].first == error_kind::refused);
  client.close();
  settle(context);
}
