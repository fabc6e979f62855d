#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "../redis/fake_redis.hpp"
#include "doorward/pipeline/process.hpp"
#include "exchange_fixture.hpp"

namespace doorward::pipeline {

using test::fake_redis;

inline std::string bulk(std::string const& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}
inline std::string hash(std::vector<std::string> const& fields_and_values) {
  auto reply = "*" + std::to_string(fields_and_values.size()) + "\r\n";
  for (auto const& s : fields_and_values)
    reply += bulk(s);
  return reply;
}

/// What the script that makes a session says.
inline std::string created(int replaced) {
  return hash({"1", std::to_string(replaced), "0", "0"});
}

/// A client, doorward, an upstream and a Redis that says what the test wants.
struct with_redis {
  std::string routes = "{ path: /public/**, upstream: app, auth: optional }, { path: /**, upstream: app }";
  std::string session;  ///< the part of the configuration
  std::string identity = "{ upstream: app }";
  test::temporary_folder folder;
  test::descriptor listener = test::unix_listener(folder.file("app"));
  exchange_fixture b{session + "routes: [" + routes + "]\n",
                     "redis: { url: \"unix://" + folder.file("redis") + "\" }\nidentity: " + identity +
                         "\nupstreams: { app: { endpoints: [\"unix:" + folder.file("app") + "\"] } }\n"};
  fake_redis redis{b.worker.context, folder.file("redis")};
  test::descriptor upstream;
  bool done = false;

  with_redis() { begin(); }
  explicit with_redis(std::string r, std::string s = {}, std::string i = "{ upstream: app }")
      : routes(std::move(r)), session(std::move(s)), identity(std::move(i)) {
    begin();
  }
  void begin() {
    obs::log::init(obs::log::level::off, obs::log::format::json);
    b.worker.redis.start();
    REQUIRE(test::run_until(b.worker.context, [&] { return b.worker.redis.connected(); }));
  }
  ~with_redis() {
    b.connection.stream.shutdown();
    b.worker.cluster(0).cut();
    b.watch.interrupt();
    b.worker.redis.close();
    redis.stop();
    b.pass(100ms);
  }
  with_redis(with_redis const&) = delete;
  with_redis& operator=(with_redis const&) = delete;

  void request(std::string_view bytes) {
    b.begin(bytes);
    net::spawn([](with_redis& t) -> net::task<> {
      co_await process(t.b.x);
      t.done = true;
    }(*this));
    test::settle(b.worker.context);
  }
  /// The upstream gets the request, and says this.
  void answer(std::string_view bytes) {
    REQUIRE(test::run_until(b.worker.context, [&] {
      if (auto c = test::accept(listener)) upstream = std::move(c);
      return static_cast<bool>(upstream);
    }));
    REQUIRE(upstream.write(bytes));
  }
  void finish() {
    REQUIRE(test::run_until(b.worker.context, [&] { return done; }));
  }
  std::uint64_t ended(obs::end_reason r) const { return b.worker.metrics.sessions_ended(r); }
};

}  // namespace doorward::pipeline
