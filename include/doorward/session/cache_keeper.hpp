#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "doorward/base/deadline_wheel.hpp"
#include "doorward/net/task.hpp"
#include "doorward/net/turn_queue.hpp"
#include "doorward/obs/log.hpp"
#include "doorward/redis/client.hpp"
#include "doorward/redis/invalidation_feed.hpp"
#include "doorward/session/near_cache.hpp"

namespace doorward::session {

/// Keeps a near_cache in step with Redis. It is armed while two connections hold: the worker's own, which tracks the
/// keys it reads, and the feed that is told of their changes. When either goes, or Redis will not track, it is disarmed
/// at once, and everybody asks Redis as without it. The log has it: `near_cache_ready`, `near_cache_off`.
class cache_keeper final : private redis::feed_listener,
                           private redis::connection_listener,
                           private near_cache::news,
                           private deadline_entry {
public:
  /// How often a connection is asked whether it is still there; also for the client's redis::timing.
  static constexpr milliseconds ping_after{1'000};

  /// All must outlive it, and the context must have run to its end after stop() before it goes. `worker`: for the log.
  cache_keeper(net::turn_queue& turns, deadline_wheel& wheel, redis::client& client, near_cache& cache,
               config::redis_config const& config, fast_random& random, unsigned worker);
  ~cache_keeper();

  /// Before the client's start().
  void start();
  void stop() noexcept;

  /// Changes that Redis told of, and times that it told of all.
  [[nodiscard]] std::uint64_t invalidations() const noexcept { return invalidations_; }

private:
  void on_up() noexcept override;
  void on_down() noexcept override;
  void on_ready(long long client, std::string_view channel) noexcept override;
  void on_invalidated(std::string_view key) noexcept override;
  void on_flushed() noexcept override;
  void on_lost(redis::error_kind why, std::string_view detail) noexcept override;
  void take() noexcept override { feed_.take(); }
  void refused() noexcept override;
  void on_deadline() noexcept override { try_to_arm(); }

  void try_to_arm();
  [[nodiscard]] net::task<> arm(std::uint64_t attempt);
  void disarm() noexcept;
  void later(milliseconds wait) noexcept;
  void tell_off(std::string_view reason, std::string_view detail, std::string_view hint) noexcept;

  net::turn_queue& turns_;
  deadline_wheel& wheel_;
  redis::client& client_;
  near_cache& cache_;
  redis::invalidation_feed feed_;
  unsigned const worker_;
  obs::log::limiter limiter_;

  bool connected_ = false;     ///< the worker's own connection
  std::string feed_client_;    ///< the feed's number; empty while there is none
  std::string channel_;        ///< that reaches it
  std::uint64_t attempt_ = 0;  ///< one that is under way is over when this has moved on
  std::uint64_t invalidations_ = 0;
  bool told_ready_ = false;
};

}  // namespace doorward::session
