#include "client_fixture.hpp"

using namespace doorward;
using namespace doorward::test;
using redis::error_kind;
using namespace std::string_literals;

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
