#include <boost/asio/steady_timer.hpp>
#include <thread>

#include "client_fixture.hpp"

using namespace doorward;
using namespace doorward::test;
using redis::error_kind;
using namespace std::string_literals;

TEST_CASE_METHOD(fixture, "no answer in time: store_timeout, within 50 ms of the deadline") {
  config.command_timeout = milliseconds{100};
  connect();
  server.mute = true;
  // Two timers of the same loop, so that a machine that is busy delays both.
  bool too_early = false, in_time = false;
  called c;
  asio::steady_timer before{context, milliseconds{100}}, after{context, milliseconds{150}};
  before.async_wait([&](auto) { too_early = c.done; });
  after.async_wait([&](auto) { in_time = c.done; });
  net::spawn(call(*client, {"GET", "k"}, c));
  REQUIRE(run_until(context, [&] { return after.expiry() < steady::now() && c.done; }));
  run_for(context, milliseconds{1});
  CHECK(c.ec == errc::store_timeout);
  CHECK(c.replies == 0);
  CHECK_FALSE(too_early);
  CHECK(in_time);
  CHECK(errors(error_kind::timeout) == 1);
  CHECK(client->connected());
}

TEST_CASE_METHOD(fixture, "a reply that is here when the thread gets to look is in time, however late it looks") {
  config.command_timeout = milliseconds{100};
  connect();
  bool answered = false;
  server.answer = [&](auto& c, auto const&) {
    c.send("+here\r\n");
    answered = true;
  };
  called c;
  net::spawn(call(*client, {"GET", "k"}, c));
  while (!answered)
    context.run_one();
  std::this_thread::sleep_for(milliseconds{130});
  run(c);
  CHECK_FALSE(c.ec);
  CHECK(c.text == "here");
}

TEST_CASE_METHOD(fixture, "a late reply is thrown away, and the next command gets its own") {
  config.command_timeout = milliseconds{100};
  connect();
  server.answer = [](auto&, auto const&) {};
  auto const late = get(*this, "first");
  CHECK(late.ec == errc::store_timeout);
  called next;
  net::spawn(call(*client, {"GET", "second"}, next));
  REQUIRE(run_until(context, [&] { return server.seen.size() == 2; }));
  server.last().send("$5\r\nfirst\r\n$6\r\nsecond\r\n");
  run(next);
  CHECK_FALSE(next.ec);
  CHECK(next.text == "second");
  CHECK(client->stats().reconnects == 0);
}

TEST_CASE_METHOD(fixture, "no answer for twice the time limit: another connection") {
  config.command_timeout = milliseconds{100};
  connect();
  server.answer = [](auto&, auto const&) {};
  CHECK(get(*this).ec == errc::store_timeout);
  REQUIRE(run_until(context, [&] { return client->stats().reconnects == 1; }));
  server.answer = [](auto& c, auto const&) { c.send("+new\r\n"); };
  server.connections[0]->send("+old\r\n");
  CHECK(get(*this).text == "new");
}

TEST_CASE_METHOD(fixture, "a connection that is lost: who waits is told, and it comes back") {
  connect();
  std::string half;
  SECTION("nothing came") {}
  SECTION("half a length") {
    half = "*4\r\n$6";
  }
  SECTION("half a reply") {
    half = "*4\r\n$6\r\nuserId\r\n$2\r\n4";
  }
  server.answer = [&](auto& c, auto const&) {
    c.send(half);
    c.cut();
  };
  called c[2];
  for (auto& one : c)
    net::spawn(call(*client, {"HGETALL", "k"}, one));
  for (auto& one : c) {
    run(one);
    CHECK(one.ec == errc::store_unavailable);
    CHECK(one.replies == 0);
  }
  CHECK(client->pending() == 0);
  server.answer = [](auto& conn, auto const&) { conn.send("+back\r\n"); };
  REQUIRE(run_until(
      context, [&] { return client->connected(); }, milliseconds{1000}));
  CHECK(get(*this).text == "back");
  CHECK(client->stats().reconnects == 1);
  CHECK(errors(error_kind::reset) == 1);
}

TEST_CASE_METHOD(fixture, "bytes that are no reply end the connection") {
  connect();
  std::string raw;
  SECTION("garbage") {
    raw = "HTTP/1.1 400 Bad Request\r\n\r\n";
  }
  SECTION("a bad length") {
    raw = "$12x\r\n";
  }
  SECTION("a string longer than it says") {
    raw = "$2\r\nabcd\r\n";
  }
  SECTION("an item longer than it says") {
    raw = "*2\r\n$2\r\nabc\r\n$1\r\nd\r\n";
  }
  SECTION("a negative length") {
    raw = "$-2\r\n";
  }
  SECTION("a negative count") {
    raw = "*-7\r\n";
  }
  SECTION("a count that is too large") {
    raw = "*2147483647\r\n$1\r\na\r\n";
  }
  SECTION("a count beyond int") {
    raw = "*4294967296\r\n";
  }
  SECTION("a count beyond long") {
    raw = "*99999999999999999999999\r\n";
  }
  SECTION("more elements than allowed") {
    raw = "*65537\r\n";
  }
  SECTION("deep nesting") {
    for (int i = 0; i < 2000; ++i)
      raw += "*1\r\n";
  }
  SECTION("RESP3") {
    raw = "%1\r\n+a\r\n+b\r\n";
  }
  SECTION("RESP3 push") {
    raw = ">2\r\n+invalidate\r\n*0\r\n";
  }
  server.answer = [&](auto& c, auto const&) { c.send(raw); };
  called c[2];
  for (auto& one : c)
    net::spawn(call(*client, {"GET", "k"}, one));
  for (auto& one : c) {
    run(one);
    CHECK(one.ec == errc::store_protocol);
    CHECK(one.replies == 0);
  }
  CHECK(errors(error_kind::protocol) == 1);
  REQUIRE(watch.troubles.size() == 1);
  CHECK(watch.troubles[0].first == error_kind::protocol);
}

TEST_CASE_METHOD(fixture, "a string that is too large is cut off while it arrives") {
  connect();
  server.answer = [](auto& c, auto const&) { c.send("$2000000000\r\n"); };
  called c;
  net::spawn(call(*client, {"GET", "k"}, c));
  REQUIRE(run_until(context, [&] { return server.seen.size() == 1; }));
  std::string const piece(16 * 1024, 'x');
  std::size_t sent = 0;
  auto const connection = server.connections[0];
  connection->stream.non_blocking(true);
  while (!c.done && sent < 16 * 1024 * 1024) {
    boost::system::error_code ec;
    sent += connection->stream.write_some(asio::buffer(piece), ec);
    settle(context);
  }
  run(c);
  CHECK(c.ec == errc::store_protocol);
  CHECK(sent < 5 * 1024 * 1024);
}

TEST_CASE_METHOD(fixture, "a reply too large to be kept costs nobody else anything") {
  connect();
  std::string large;
  SECTION("text") {
    large = "*2\r\n$1\r\na\r\n$300000\r\n" + std::string(300'000, 'x') + "\r\n";
  }
  SECTION("elements") {
    large = "*1100\r\n";
    for (int i = 0; i < 1100; ++i)
      large += "$1\r\na\r\n";
  }
  SECTION("one string") {
    large = "$300000\r\n" + std::string(300'000, 'x') + "\r\n";
  }
  server.answer = [](auto&, auto const&) {};
  called first;
  called second;
  net::spawn(call(*client, {"HGETALL", "large"}, first));
  net::spawn(call(*client, {"GET", "small"}, second));
  REQUIRE(run_until(context, [&] { return server.seen.size() == 2; }));
  auto const whole = large + "$2\r\nhi\r\n";
  send_all(whole);
  run(first);
  run(second);
  CHECK(first.ec == errc::store_oversized);
  CHECK(first.replies == 0);
  CHECK_FALSE(second.ec);
  CHECK(second.text == "hi");
  CHECK(errors(error_kind::protocol) == 1);
  CHECK(client->stats().reconnects == 0);
}

TEST_CASE_METHOD(fixture, "trouble while connected: told once a kind, and so is its end") {
  times.settled = milliseconds{0};
  connect();
  for (auto const* text : {"-LOADING x\r\n", "-NOPERM x\r\n", "-LOADING x\r\n"}) {
    server.answer = [&](auto& c, auto const&) { c.send(text); };
    (void)get(*this);
  }
  REQUIRE(watch.troubles.size() == 2);
  CHECK(watch.troubles[0].first == error_kind::loading);
  CHECK(watch.troubles[1].first == error_kind::permission);
  CHECK(client->trouble() == error_kind::loading);
  server.answer = [](auto& c, auto const&) { c.send("+well\r\n"); };
  (void)get(*this);
  (void)get(*this);
  CHECK(watch.recovered == 1);
  CHECK_FALSE(client->trouble());
}

TEST_CASE_METHOD(fixture, "trouble, and then no command at all: the idle PING ends it") {
  times.settled = times.ping_after = milliseconds{20};
  connect();
  server.answer = [&](auto& c, auto const&) { c.send("-LOADING x\r\n"); };
  (void)get(*this);
  REQUIRE(client->trouble());
  server.answer = [](auto& c, auto const&) { c.send("+PONG\r\n"); };
  CHECK(run_until(context, [&] { return !client->trouble(); }));
  CHECK(watch.recovered == 1);
}

TEST_CASE_METHOD(fixture, "one good answer between bad ones is not the end of trouble") {
  connect();
  server.answer = [&](auto& c, auto const&) { c.send("-LOADING x\r\n"); };
  (void)get(*this);
  server.answer = [](auto& c, auto const&) { c.send("+well\r\n"); };
  (void)get(*this);
  CHECK(watch.recovered == 0);
  CHECK(client->trouble() == error_kind::loading);
}

TEST_CASE_METHOD(fixture, "the largest allowed string passes") {
  connect();
  server.answer = [](auto&, auto const&) {};
  called c;
  net::spawn(call(*client, {"GET", "k"}, c));
  REQUIRE(run_until(context, [&] { return server.seen.size() == 1; }));
  std::string const whole = "$262144\r\n" + std::string(262144, 'x') + "\r\n";
  send_all(whole);
  run(c);
  CHECK_FALSE(c.ec);
  CHECK(c.text.size() == 262144);
}

TEST_CASE_METHOD(fixture, "an answer nobody asked for ends the connection, not the program") {
  connect();
  std::string raw;
  SECTION("a string") {
    raw = "$2\r\nhi\r\n";
  }
  SECTION("an array") {
    raw = "*1\r\n$2\r\nhi\r\n";
  }
  SECTION("an integer") {
    raw = ":1\r\n";
  }
  SECTION("a nil") {
    raw = "$-1\r\n";
  }
  SECTION("an error") {
    raw = "-ERR max number of clients reached\r\n";
  }
  server.last().send(raw);
  REQUIRE(run_until(context, [&] { return client->stats().reconnects == 1; }));
  server.answer = [](auto& c, auto const&) { c.send("+mine\r\n"); };
  CHECK(get(*this).text == "mine");
}

TEST_CASE_METHOD(fixture, "two answers to one question: the second is nobody's") {
  connect();
  server.answer = [](auto& c, auto const& argv) {
    c.send("+" + argv[1] + "\r\n" + (argv[1] == "first" ? "+stray\r\n" : ""));
  };
  CHECK(get(*this, "first").text == "first");
  REQUIRE(run_until(context, [&] { return client->stats().reconnects == 1; }));
  CHECK(get(*this, "second").text == "second");
}

TEST_CASE_METHOD(fixture, "error replies that mean the store cannot answer") {
  struct row {
    std::string text;
    error_kind kind;
  };
  row const rows[] = {
      {"LOADING Redis is loading the dataset in memory", error_kind::loading},
      {"BUSY Redis is busy running a script", error_kind::busy},
      {"OOM command not allowed when used memory > 'maxmemory'.", error_kind::out_of_memory},
      {"MASTERDOWN Link with MASTER is down", error_kind::master_down},
      {"NOPERM this user has no permissions to run the 'hgetall' command", error_kind::permission},
      {"READONLY You can't write against a read only replica.", error_kind::readonly},
      {"ERR something else", error_kind::other},
  };
  connect();
  for (auto const& r : rows) {
    INFO(r.text);
    server.answer = [&](auto& c, auto const&) { c.send("-" + r.text + "\r\n"); };
    auto const c = get(*this);
    CHECK(c.ec == errc::store_error);
    CHECK(c.replies == 0);
    CHECK(errors(r.kind) == 1);
  }
  CHECK(client->stats().reconnects == 0);
  CHECK(watch.troubles.size() == std::size(rows));  // each kind has a line of its own
}

TEST_CASE_METHOD(fixture, "an error reply about the key is a reply") {
  connect();
  server.answer = [](auto& c, auto const&) { c.send("-WRONGTYPE Operation against a key\r\n"); };
  auto const c = get(*this);
  CHECK_FALSE(c.ec);
  CHECK(c.type == redis::reply::kind::error);
  CHECK(c.text == "WRONGTYPE Operation against a key");
}

TEST_CASE_METHOD(fixture, "an unknown error's text may hold a session id, and is not told") {
  connect();
  server.answer = [](auto& c, auto const& argv) { c.send("-ERR unknown command, with args: '" + argv[1] + "'\r\n"); };
  CHECK(get(*this, "session:abc").ec == errc::store_error);
  REQUIRE(watch.troubles.size() == 1);
  CHECK(watch.troubles[0].second == "ERR");
}
