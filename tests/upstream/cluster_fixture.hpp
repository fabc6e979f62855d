#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "descriptor.hpp"
#include "doorward/base/errc.hpp"
#include "doorward/upstream/cluster.hpp"
#include "event_loop.hpp"
#include "temporary_folder.hpp"

namespace doorward::upstream {

using namespace std::chrono_literals;
using test::descriptor;

/// Upstreams on Unix sockets in a folder of their own, and a worker's parts with a clock that the test moves.
struct cluster_fixture {
  /// What a call of cluster::connect() comes to.
  struct attempt {
    net::watch watch;
    std::optional<result<lease>> ended;
    explicit attempt(deadline_wheel& w) : watch(w) {}
    /// "waiting", "fresh", "reused", or the errc's reason.
    [[nodiscard]] std::string outcome() const {
      if (!ended) return "waiting";
      if (!*ended) return std::string(about(to_errc(ended->error())).reason);
      return (**ended).reused() ? "reused" : "fresh";
    }
    [[nodiscard]] lease& got() {
      REQUIRE(ended.has_value());
      REQUIRE(ended->has_value());
      return **ended;
    }
  };

  test::temporary_folder folder;
  net::asio::io_context context;
  net::turn_queue turns{context};
  test::mock_clock clock;
  std::vector<descriptor> listeners;
  config::upstream_config config;
  std::optional<cluster> made;
  std::deque<attempt> attempts;

  explicit cluster_fixture(std::size_t endpoints = 1) {
    config.name = "app";
    for (std::size_t i = 0; i < endpoints; ++i) {
      listeners.push_back(test::unix_listener(path(i)));
      config.endpoints.push_back({config::endpoint::kind::unix_socket, {}, 0, path(i), false, "unix:" + path(i)});
    }
  }

  ~cluster_fixture() {
    if (made) made->cut();  // whoever still waits comes to its end
    test::settle(context);
  }

  /// The cluster of `config`, for one of so many workers.
  cluster& make(unsigned workers = 1) { return made.emplace(context, turns, clock.wheel, config, workers); }

  [[nodiscard]] std::string path(std::size_t i) const { return folder.file("app" + std::to_string(i)); }
  /// Nobody listens at endpoint `i` from now on.
  void stop(std::size_t i) { listeners[i].close(); }
  void pass(milliseconds by) { clock.pass(context, by); }

  attempt& connect(cluster& c) {
    auto& a = attempts.emplace_back(clock.wheel);
    net::spawn([](cluster& from, attempt& into) -> net::task<> {
      auto r = co_await from.connect(into.watch);
      into.ended.emplace(std::move(r));
    }(c, a));
    return a;
  }
  /// A new connection, and the upstream's end of it.
  struct pair {
    lease mine;
    descriptor peer;
  };
  pair connected(cluster& c, std::size_t endpoint = 0) {
    auto l = std::move(connect(c).got());
    auto peer = test::accept(listeners[endpoint]);
    REQUIRE(peer);
    return {std::move(l), std::move(peer)};
  }
};

/// Which of `peers` a lease leads to; -1 for none of them.
inline int reached(lease& l, std::vector<descriptor const*> peers) {
  (void)l.stream().try_write("?");
  for (std::size_t i = 0; i < peers.size(); ++i)
    if (peers[i]->read() == "?") return static_cast<int>(i);
  return -1;
}

}  // namespace doorward::upstream
