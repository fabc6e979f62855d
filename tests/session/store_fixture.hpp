#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "doorward/base/errc.hpp"
#include "doorward/session/redis_store.hpp"
#include "real_redis.hpp"

namespace doorward::test {

using fields = std::vector<std::pair<std::string, std::string>>;

inline real_redis& server() {
  static real_redis one;
  return one;
}

/// Two connections, so that operations can meet in Redis.
struct store_fixture {
  asio::io_context context{1};
  net::turn_queue turns{context};
  fast_random random{7};
  config::session_config config;
  config::redis_config redis;
  session::field_layout layout{config.fields};
  std::optional<redis::client> client, other;
  std::optional<session::redis_store> store, second;

  store_fixture() {
    redis.server.type = config::endpoint::kind::unix_socket;
    redis.server.path = server().path();
    redis.command_timeout = milliseconds{5000};
    connect();
    REQUIRE(ask({"FLUSHALL"}).text == "OK");
  }
  ~store_fixture() { close(); }
  void connect() {
    client.emplace(turns, redis, random);
    other.emplace(turns, redis, random);
    client->start();
    other->start();
    REQUIRE(run_until(context, [&] { return client->connected() && other->connected(); }));
    make_stores();
  }
  void close() {
    store.reset();
    second.reset();
    client.reset();
    other.reset();
    settle(context);
  }
  void make_stores() {
    store.emplace(*client, config);
    second.emplace(*other, config);
  }

  called ask(std::vector<std::string> words) {
    called c;
    net::spawn(call(*client, std::move(words), c));
    REQUIRE(run_until(context, [&] { return c.done; }));
    return c;
  }
  long long number(std::vector<std::string> words) { return ask(std::move(words)).integer; }
  bool exists(std::string const& key) { return number({"EXISTS", key}) == 1; }
  std::map<std::string, std::string> hash(std::string const& key) {
    auto const c = ask({"HGETALL", key});
    std::map<std::string, std::string> out;
    for (std::size_t i = 0; i + 1 < c.items.size(); i += 2)
      out[c.items[i]] = c.items[i + 1];
    return out;
  }
  std::set<std::string> members(std::string const& key) {
    auto const c = ask({"SMEMBERS", key});
    return {c.items.begin(), c.items.end()};
  }

  std::uint64_t replaced = 0;  ///< by the last create()
  std::uint64_t revoked = 0;
  std::uint64_t displaced = 0;

  error_code create(session::new_session s, fields const& grant) {
    std::optional<result<session::created>> r;
    s.fields = grant;
    auto const run = [&]() -> net::task<> { r = co_await store->create(s); };
    net::spawn(run());
    REQUIRE(run_until(context, [&] { return r.has_value(); }));
    auto const did = r->has_value() ? **r : session::created{};
    replaced = did.replaced;
    revoked = did.revoked;
    displaced = did.displaced;
    return r->error();
  }
  error_code create(std::string_view id, fields const& grant) {
    session::new_session s;
    s.id = id;
    return create(s, grant);
  }
  void touch(std::string_view id) {
    auto const sum = [&] {
      auto const& t = store->touches();
      return t.done + t.skipped + t.gone + t.failed;
    };
    auto const before = sum();
    store->touch(id);
    REQUIRE(run_until(context, [&] { return sum() != before; }));
  }
  template <class Task>
  std::uint64_t wait(Task make) {
    std::optional<result<std::uint64_t>> r;
    auto const run = [&]() -> net::task<> { r = co_await make(); };
    net::spawn(run());
    REQUIRE(run_until(context, [&] { return r.has_value(); }));
    return r->value();
  }
  std::uint64_t end(std::string const& id) {
    return wait([&] { return store->end(id); });
  }
  std::uint64_t end_all(std::string const& id) {
    return wait([&] { return store->end_all(id); });
  }
  std::uint64_t end_others(std::string const& id) {
    return wait([&] { return store->end_others(id); });
  }
  std::uint64_t end_user(std::string const& user) {
    return wait([&] { return store->end_user(user); });
  }
  std::uint64_t revoke(std::string const& user, std::string const& key) {
    return wait([&] { return store->revoke(user, key); });
  }
  std::vector<session::listed_session> list(std::string const& user) {
    std::optional<result<std::vector<session::listed_session>>> r;
    auto const run = [&]() -> net::task<> { r = co_await store->list(user); };
    net::spawn(run());
    REQUIRE(run_until(context, [&] { return r.has_value(); }));
    return r->value();
  }
  session::outcome find(std::string_view id) {
    session::record r{layout};
    return find(id, r);
  }
  session::outcome find(std::string_view id, session::record& r) {
    std::optional<session::outcome> o;
    auto const run = [&]() -> net::task<> { o = co_await store->find(id, r); };
    net::spawn(run());
    REQUIRE(run_until(context, [&] { return o.has_value(); }));
    return *o;
  }
};

inline bool near(long long value, long long expected, long long by = 5000) {
  return value <= expected && value > expected - by;
}

}  // namespace doorward::test
