#pragma once

#include <optional>
#include <string>

#include "doorward/base/random.hpp"
#include "doorward/net/task.hpp"
#include "doorward/net/turn_queue.hpp"
#include "doorward/redis/client.hpp"
#include "doorward/session/redis_store.hpp"

namespace doorward::app {

/// A connection to Redis for a command of the command line, with a loop of its own that runs while something is asked.
class redis_call final : redis::observer {
public:
  explicit redis_call(config::model const& m);
  redis_call(redis_call const&) = delete;
  redis_call& operator=(redis_call const&) = delete;
  ~redis_call();

  /// Connects; false when that cannot be, in the time that the configuration allows.
  [[nodiscard]] bool connect();

  /// Runs `t` to its end. Every command has its deadline, so there is one.
  template <class T>
  [[nodiscard]] result<T> run(net::task<result<T>> t) {
    std::optional<result<T>> r;
    auto const keep = [](net::task<result<T>> inner, std::optional<result<T>>& into) -> net::task<> {
      into = co_await std::move(inner);
    };
    net::spawn(keep(std::move(t), r));
    while (!r)
      context_.run_one();
    return *std::move(r);
  }

  /// Why it did not work, in words for people: "Redis at 127.0.0.1:6379: ...".
  [[nodiscard]] std::string why(error_code const& ec = {}) const;

  [[nodiscard]] redis::client& client() noexcept { return client_; }
  [[nodiscard]] session::redis_store& store() noexcept { return store_; }

private:
  void on_connected(std::string_view) noexcept override {}
  void on_recovered(std::string_view) noexcept override {}
  void on_trouble(redis::error_kind kind, std::string_view server, std::string_view detail) noexcept override;

  net::asio::io_context context_{1};
  net::turn_queue turns_{context_};
  fast_random random_;
  config::redis_config const config_;
  redis::client client_;
  session::redis_store store_;
  std::optional<redis::error_kind> trouble_;
  std::string detail_;
};

}  // namespace doorward::app
