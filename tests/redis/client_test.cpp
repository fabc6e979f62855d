#include "doorward/redis/client.hpp"

#include <optional>

#include "doorward/base/errc.hpp"
#include "doorward/base/random.hpp"
#include "fake_redis.hpp"

using namespace doorward;
using namespace doorward::test;
using redis::error_kind;
using namespace std::string_literals;

namespace {

struct notes final : redis::observer {
  void on_connected(std::string_view) noexcept override { ++connected; }
  void on_trouble(error_kind kind, std::string_view detail) noexcept override { troubles.emplace_back(kind, detail); }
  int connected = 0;
  std::vector<std::pair<error_kind, std::string>> troubles;
};

struct fixture {
  temporary_folder folder;
  asio::io_context context{1};
  net::turn_queue turns{context};
  fast_random random{7};
  notes watch;
  fake_redis server{context, folder.file("redis.sock")};
  std::optional<redis::client> client;

  explicit fixture() {
    config.server.type = config::endpoint::kind::unix_socket;
    config.server.path = server.path();
    config.server.text = "unix:" + server.path();
    config.command_timeout = milliseconds{80};
    config.connect_timeout = milliseconds{300};
  }
  ~fixture() {
    client.reset();
    settle(context);
  }
  config::redis_config config;
  redis::timing times;

  void start() {
    client.emplace(turns, config, random, &watch, times);
    client->start();
  }
  void connect() {
    start();
    REQUIRE(run_until(context, [&] { return client->connected(); }));
    server.seen.clear();
  }
  void run(called& c) {
    REQUIRE(run_until(context, [&] { return c.done; }));
  }
  std::uint64_t errors(error_kind k) const { return client->stats().errors[static_cast<std::size_t>(k)]; }
};

called get(fixture& f, std::string key = "k") {
  called c;
  net::spawn(call(*f.client, {"GET", std::move(key)}, c));
  f.run(c);
  return c;
}

}  // namespace

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

TEST_CASE_METHOD(fixture, "not started or not connected: a command fails at once") {
  client.emplace(turns, config, random, &watch);
  called c;
  net::spawn(call(*client, {"GET", "k"}, c));
  CHECK(c.done);
  CHECK(c.ec == errc::store_unavailable);
  CHECK(c.replies == 0);
}

TEST_CASE_METHOD(fixture, "commands of one turn leave in one write and are answered in order") {
  connect();
  server.reads = 0;
  server.answer = [](auto& c, auto const& argv) {
    c.send("$" + std::to_string(argv[1].size()) + "\r\n" + argv[1] + "\r\n");
  };
  called c[3];
  for (int i = 0; i < 3; ++i)
    net::spawn(call(*client, {"GET", "k" + std::to_string(i)}, c[i]));
  CHECK(client->pending() == 3);
  for (auto& one : c)
    run(one);
  CHECK(server.reads == 1);
  CHECK(client->pending() == 0);
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(c[i].ec);
    CHECK(c[i].text == "k" + std::to_string(i));
  }
  CHECK(client->stats().commands == 3);
}

TEST_CASE_METHOD(fixture, "each kind of reply arrives as what it is") {
  connect();
  std::string raw;
  server.answer = [&](auto& c, auto const&) { c.send(raw); };
  SECTION("array") {
    raw = "*2\r\n$1\r\na\r\n$0\r\n\r\n";
    auto const c = get(*this);
    CHECK(c.type == redis::reply::kind::array);
    CHECK(c.items == std::vector<std::string>{"a", ""});
  }
  SECTION("empty array") {
    raw = "*0\r\n";
    auto const c = get(*this);
    CHECK(c.type == redis::reply::kind::array);
    CHECK(c.items.empty());
  }
  SECTION("binary string") {
    raw = "$4\r\na\0\r\n\r\n"s;
    CHECK(get(*this).text == "a\0\r\n"s);
  }
  SECTION("nil string and nil array") {
    raw = "$-1\r\n";
    CHECK(get(*this).type == redis::reply::kind::nil);
    raw = "*-1\r\n";
    CHECK(get(*this).type == redis::reply::kind::nil);
  }
  SECTION("integer") {
    raw = ":-42\r\n";
    auto const c = get(*this);
    CHECK(c.type == redis::reply::kind::integer);
    CHECK(c.integer == -42);
  }
  SECTION("status") {
    raw = "+OK\r\n";
    CHECK(get(*this).type == redis::reply::kind::status);
  }
  SECTION("nested array") {
    raw = "*2\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n";
    auto const c = get(*this);
    CHECK(c.malformed);
    CHECK(c.items.empty());
  }
  CHECK(client->connected());
}

TEST_CASE_METHOD(fixture, "a reply that comes byte by byte") {
  connect();
  server.answer = [](auto&, auto const&) {};
  called c;
  net::spawn(call(*client, {"HGETALL", "k"}, c));
  REQUIRE(run_until(context, [&] { return server.seen.size() == 1; }));
  for (char const byte : "*2\r\n$6\r\nuserId\r\n$2\r\n42\r\n"s) {
    server.last().send({&byte, 1});
    settle(context);
  }
  run(c);
  CHECK(c.items == std::vector<std::string>{"userId", "42"});
}

TEST_CASE_METHOD(fixture, "a thousand commands at once, each gets its own reply") {
  config.command_timeout = milliseconds{2000};
  connect();
  server.answer = [](auto& c, auto const& argv) {
    c.send("*2\r\n$3\r\nkey\r\n$" + std::to_string(argv[1].size()) + "\r\n" + argv[1] + "\r\n");
  };
  std::vector<called> calls(1000);
  for (std::size_t i = 0; i < calls.size(); ++i)
    net::spawn(call(*client, {"HGETALL", "session:" + std::to_string(i) + std::string(i % 90, 'x')}, calls[i]));
  for (auto& c : calls)
    run(c);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    REQUIRE(calls[i].items.size() == 2);
    CHECK(calls[i].items[1] == "session:" + std::to_string(i) + std::string(i % 90, 'x'));
  }
}

TEST_CASE_METHOD(fixture, "no answer in time: store_timeout, soon after the deadline") {
  connect();
  server.mute = true;
  auto const began = steady::now();
  auto const c = get(*this);
  auto const took = steady::now() - began;
  CHECK(c.ec == errc::store_timeout);
  CHECK(c.replies == 0);
  CHECK(took >= milliseconds{80});
  CHECK(took < milliseconds{130});
  CHECK(errors(error_kind::timeout) == 1);
  CHECK(client->connected());
}

TEST_CASE_METHOD(fixture, "a late reply is thrown away, and the next command gets its own") {
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
    raw = "*1025\r\n";
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
  config.command_timeout = milliseconds{2000};
  connect();
  server.answer = [](auto& c, auto const&) { c.send("$2000000000\r\n"); };
  called c;
  net::spawn(call(*client, {"GET", "k"}, c));
  REQUIRE(run_until(context, [&] { return server.seen.size() == 1; }));
  std::string const piece(16 * 1024, 'x');
  std::size_t sent = 0;
  auto const connection = server.connections[0];
  connection->stream.non_blocking(true);
  while (!c.done && sent < 4 * 1024 * 1024) {
    boost::system::error_code ec;
    sent += connection->stream.write_some(asio::buffer(piece), ec);
    settle(context);
  }
  run(c);
  CHECK(c.ec == errc::store_protocol);
  CHECK(sent < 1024 * 1024);
}

TEST_CASE_METHOD(fixture, "the largest allowed string passes") {
  config.command_timeout = milliseconds{2000};
  connect();
  server.answer = [](auto&, auto const&) {};
  called c;
  net::spawn(call(*client, {"GET", "k"}, c));
  REQUIRE(run_until(context, [&] { return server.seen.size() == 1; }));
  std::string const whole = "$262144\r\n" + std::string(262144, 'x') + "\r\n";
  auto const connection = server.connections[0];
  connection->stream.non_blocking(true);
  for (std::size_t sent = 0; sent < whole.size();) {
    boost::system::error_code ec;
    sent += connection->stream.write_some(asio::buffer(whole.data() + sent, whole.size() - sent), ec);
    settle(context);
  }
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
  CHECK(watch.troubles.size() == 1);  // one line in ten seconds
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
  REQUIRE(run_until(
      context, [&] { return client->stats().reconnects == 1; }, milliseconds{200}));
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
  CHECK(steady::now() - began < milliseconds{400});
  server.mute = false;
  REQUIRE(run_until(
      context, [&] { return client->connected(); }, milliseconds{1000}));
}

TEST_CASE_METHOD(fixture, "nobody listens: attempts are spaced, and the return is seen within the longest wait") {
  times.first_wait = milliseconds{5};
  times.longest_wait = milliseconds{90};
  server.stop();
  start();
  run_for(context, milliseconds{300});
  // Steps of 5, 10, 20, 40, 80 and 90 ms, each waited for at least by half.
  CHECK(client->stats().attempts >= 5);
  CHECK(client->stats().attempts <= 11);
  CHECK(errors(error_kind::refused) == client->stats().attempts);
  CHECK(watch.troubles.size() == 1);
  server.restart(context);
  REQUIRE(run_until(
      context, [&] { return client->connected(); }, milliseconds{120}));
}

TEST_CASE_METHOD(fixture, "a server that hangs up after every handshake is not hammered") {
  times.first_wait = milliseconds{5};
  times.longest_wait = milliseconds{90};
  start();
  for (auto const end = steady::now() + milliseconds{300}; steady::now() < end;) {
    run_for(context, milliseconds{1});
    if (client->connected()) server.last().cut();
  }
  CHECK(client->stats().attempts >= 5);
  CHECK(client->stats().attempts <= 11);
}

TEST_CASE_METHOD(fixture, "a connection that held is replaced at once") {
  times.settled = milliseconds{50};
  times.first_wait = times.longest_wait = milliseconds{50};
  connect();
  run_for(context, milliseconds{60});
  server.last().cut();
  REQUIRE(run_until(
      context, [&] { return client->stats().reconnects == 1; }, milliseconds{20}));
}

TEST_CASE_METHOD(fixture, "NOSCRIPT: the same once by EVAL") {
  connect();
  redis::script const script{"return 1"};
  bool known = false;
  server.answer = [&](auto& c, auto const& argv) {
    if (argv[0] == "EVAL") known = true;
    c.send(known ? ":1\r\n" : "-NOSCRIPT No matching script. Please use EVAL.\r\n");
  };
  called c;
  auto const run_script = [&](called& into) -> net::task<> {
    called_sink sink{into};
    std::string_view const keys[] = {"key one"};
    std::string_view const args[] = {"a", "b"};
    into.ec = co_await client->eval(script, keys, args, sink);
    into.done = true;
  };
  net::spawn(run_script(c));
  run(c);
  CHECK_FALSE(c.ec);
  CHECK(c.integer == 1);
  CHECK(c.replies == 1);
  std::string const sha = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
  CHECK(server.seen == std::vector<fake_redis::command>{{"EVALSHA", sha, "1", "key one", "a", "b"},
                                                        {"EVAL", "return 1", "1", "key one", "a", "b"}});
  called again;
  net::spawn(run_script(again));
  run(again);
  CHECK(again.integer == 1);
  CHECK(server.seen.size() == 3);
}

TEST_CASE_METHOD(fixture, "nobody waits for a command that is sent and forgotten") {
  connect();
  std::string_view const argv[] = {"EXPIRE", "k", "5"};
  client->fire_and_forget(argv);
  CHECK(client->pending() == 1);
  CHECK(get(*this).text == "OK");
  CHECK(client->pending() == 0);
  CHECK(server.seen.size() == 2);
}

TEST_CASE_METHOD(fixture, "an idle connection is asked whether it is there; a dead one is replaced") {
  times.ping_after = milliseconds{200};
  connect();
  run_for(context, milliseconds{150});
  CHECK(server.seen.empty());
  run_for(context, milliseconds{100});
  CHECK(server.seen == std::vector<fake_redis::command>{{"PING"}});
  CHECK(client->connected());
  server.mute = true;
  REQUIRE(run_until(
      context, [&] { return !client->connected(); }, milliseconds{500}));
  CHECK(errors(error_kind::timeout) >= 1);
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
    run_for(context, milliseconds{200});
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
