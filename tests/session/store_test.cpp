#include <optional>

#include "../redis/fake_redis.hpp"
#include "doorward/base/errc.hpp"
#include "doorward/session/redis_store.hpp"

using namespace doorward;
using namespace doorward::test;
using session::outcome;

namespace {

struct found {
  bool done = false;
  outcome o{};
  error_code why;
  std::string user;
};

struct fixture {
  temporary_folder folder;
  asio::io_context context{1};
  net::turn_queue turns{context};
  fast_random random{7};
  fake_redis server{context, folder.file("redis.sock")};
  config::redis_config redis;
  config::session_config config;
  session::field_layout layout{config.fields};
  std::optional<redis::client> client;
  std::optional<session::redis_store> store;

  fixture() {
    redis.server.type = config::endpoint::kind::unix_socket;
    redis.server.path = server.path();
    redis.command_timeout = milliseconds{5000};
    make();
  }
  void make() {
    client.emplace(turns, redis, random);
    store.emplace(*client, config);
  }
  ~fixture() {
    store.reset();
    client.reset();
    settle(context);
  }
  void connect() {
    client->start();
    REQUIRE(run_until(context, [&] { return client->connected(); }));
    server.seen.clear();
  }
  void says(std::string raw) {
    server.answer = [raw](auto& c, auto const&) { c.send(raw); };
  }
  net::task<> look(std::string id, found& into) {
    session::record r{layout};
    auto lookup = store->find(id, r);
    into.o = co_await lookup;
    into.why = lookup.why();
    into.user = r.user();
    into.done = true;
  }
  found find(std::string id = "abc") {
    found f;
    net::spawn(look(std::move(id), f));
    REQUIRE(run_until(context, [&] { return f.done; }));
    return f;
  }
};

}  // namespace

TEST_CASE_METHOD(fixture, "a look-up is one HGETALL of the session's key") {
  config.key = {"app:", ":s"};
  store.emplace(*client, config);
  connect();
  says("*2\r\n$6\r\nuserId\r\n$2\r\n42\r\n");
  auto const f = find("0123456789abcdef");
  CHECK(f.o == outcome::found);
  CHECK(f.user == "42");
  CHECK(server.seen == std::vector<fake_redis::command>{{"HGETALL", "app:0123456789abcdef:s"}});
}

TEST_CASE_METHOD(fixture, "Redis's word on a session, and no word, are never the same") {
  redis.command_timeout = milliseconds{60};
  make();
  connect();
  struct row {
    std::string raw;
    outcome o;
    error_code why;
  };
  row const rows[] = {
      {"*0\r\n", outcome::absent, {}},
      {"*2\r\n$8\r\nlastSeen\r\n$1\r\n1\r\n", outcome::ghost, {}},
      {"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", outcome::wrong_type, {}},
      {":1\r\n", outcome::malformed, {}},
      {"$-1\r\n", outcome::malformed, {}},
      {"*2\r\n$6\r\nuserId\r\n*1\r\n$2\r\n42\r\n", outcome::malformed, {}},
      {"-LOADING Redis is loading the dataset in memory\r\n", outcome::unavailable, errc::store_error},
      {"-NOPERM no\r\n", outcome::unavailable, errc::store_error},
      {"", outcome::unavailable, errc::store_timeout},
      {"?\r\n", outcome::unavailable, errc::store_protocol},
  };
  for (auto const& r : rows) {
    INFO(r.raw);
    says(r.raw);
    auto const f = find();
    CHECK(f.o == r.o);
    CHECK(f.why == r.why);
    CHECK(f.user.empty());
  }
}

TEST_CASE_METHOD(fixture, "not connected: unavailable at once, without waiting") {
  found f;
  net::spawn(look("abc", f));
  CHECK(f.done);
  CHECK(f.o == outcome::unavailable);
  CHECK(f.why == errc::store_unavailable);
}

TEST_CASE_METHOD(fixture, "two hundred users at once, none sees another's") {
  connect();
  server.answer = [](auto& c, auto const& argv) {
    auto const user = argv[1].substr(8);
    c.send("*2\r\n$6\r\nuserId\r\n$" + std::to_string(user.size()) + "\r\n" + user + "\r\n");
  };
  std::vector<found> all(200);
  for (std::size_t i = 0; i < all.size(); ++i)
    net::spawn(look("user" + std::to_string(i), all[i]));
  for (std::size_t i = 0; i < all.size(); ++i) {
    REQUIRE(run_until(context, [&] { return all[i].done; }));
    CHECK(all[i].user == "user" + std::to_string(i));
  }
}

TEST_CASE_METHOD(fixture, "a page's worth of touches of one session is one script") {
  connect();
  says(":1\r\n");
  for (int i = 0; i < 20; ++i)
    store->touch("abc");
  store->touch("other");
  REQUIRE(run_until(context, [&] { return store->touches().done == 2; }));
  CHECK(server.seen.size() == 2);
  CHECK(store->touches().skipped == 19);
  CHECK(server.seen[0][0] == "EVALSHA");
  CHECK(server.seen[0][3] == "session:abc");
}

TEST_CASE_METHOD(fixture, "a touch that Redis does not confirm is counted, and harms nobody") {
  SECTION("not connected") {}
  SECTION("an error") {
    connect();
    says("-READONLY You can't write against a read only replica.\r\n");
  }
  SECTION("an answer that makes no sense") {
    connect();
    says("$1\r\n1\r\n");
  }
  store->touch("abc");
  REQUIRE(run_until(context, [&] { return store->touches().failed == 1; }));
}

TEST_CASE_METHOD(fixture, "the store goes while a touch is under way") {
  connect();
  server.mute = true;
  store->touch("abc");
  REQUIRE(run_until(context, [&] { return server.seen.size() == 1; }));
  store.reset();
  client.reset();
  settle(context);
  CHECK(server.seen.size() == 1);
}

TEST_CASE_METHOD(fixture, "a log-out that could not be written is not done") {
  std::optional<result<std::uint64_t>> one, all;
  auto const both = [&]() -> net::task<> {
    one = co_await store->end("abc");
    all = co_await store->end_all("abc");
  };
  error_code expected = errc::store_error;
  SECTION("not connected") {
    expected = errc::store_unavailable;
  }
  SECTION("a replica") {
    connect();
    says("-READONLY You can't write against a read only replica.\r\n");
  }
  SECTION("no answer") {
    expected = errc::store_timeout;
    redis.command_timeout = milliseconds{60};
    make();
    connect();
    says("");
  }
  SECTION("nonsense") {
    expected = errc::store_protocol;
    connect();
    says("+OK\r\n");
  }
  net::spawn(both());
  REQUIRE(run_until(context, [&] { return all.has_value(); }));
  CHECK(one->error() == expected);
  // The second one may find the connection given up.
  REQUIRE(all->has_error());
  CHECK(about(to_errc(all->error())).from == origin::store);
}

TEST_CASE_METHOD(fixture, "a grant that cannot be a session is refused before Redis is asked") {
  connect();
  std::vector<std::pair<std::string, std::string>> fields{{"role", "admin"}};
  SECTION("no user") {}
  SECTION("empty user") {
    fields.emplace_back("userId", "");
  }
  SECTION("two users") {
    fields.emplace_back("userId", "1");
    fields.emplace_back("userId", "2");
  }
  SECTION("too many fields") {
    fields.emplace_back("userId", "1");
    for (int i = 0; i < 256; ++i)
      fields.emplace_back("f" + std::to_string(i), "x");
  }
  SECTION("too large") {
    fields.emplace_back("userId", "1");
    fields.emplace_back("photo", std::string(64 * 1024, 'x'));
  }
  std::optional<result<session::created>> r;
  auto const create = [&]() -> net::task<> {
    session::new_session s;
    s.id = "0123456789abcdef";
    s.fields = fields;
    r = co_await store->create(s);
  };
  net::spawn(create());
  REQUIRE(r.has_value());
  CHECK(r->error() == errc::bad_grant);
  CHECK(server.seen.empty());
}
