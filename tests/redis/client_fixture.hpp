#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "doorward/base/errc.hpp"
#include "doorward/base/random.hpp"
#include "doorward/redis/client.hpp"
#include "fake_redis.hpp"

namespace doorward::test {

/// What an operator was told.
struct notes final : redis::observer {
  void on_connected(std::string_view) noexcept override { ++connected; }
  void on_recovered(std::string_view) noexcept override { ++recovered; }
  void on_trouble(redis::error_kind kind, std::string_view, std::string_view detail) noexcept override {
    troubles.emplace_back(kind, detail);
  }
  int connected = 0;
  int recovered = 0;
  std::vector<std::pair<redis::error_kind, std::string>> troubles;
};

/// A client, and a server that answers as the test says.
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
    config.command_timeout = milliseconds{5000};
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
  /// From the server's first connection, while the client reads: more than the kernel takes at once.
  void send_all(std::string_view bytes) {
    auto& stream = server.connections[0]->stream;
    stream.non_blocking(true);
    while (!bytes.empty()) {
      boost::system::error_code ec;
      bytes.remove_prefix(stream.write_some(asio::buffer(bytes.data(), bytes.size()), ec));
      settle(context);
    }
  }
  void connect() {
    start();
    REQUIRE(run_until(context, [&] { return client->connected(); }));
    server.seen.clear();
  }
  void run(called& c) {
    REQUIRE(run_until(context, [&] { return c.done; }));
  }
  std::uint64_t errors(redis::error_kind k) const { return client->stats().errors[static_cast<std::size_t>(k)]; }
};

inline called get(fixture& f, std::string key = "k") {
  called c;
  net::spawn(call(*f.client, {"GET", std::move(key)}, c));
  f.run(c);
  return c;
}

}  // namespace doorward::test
