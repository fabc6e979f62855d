#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>

#include "doorward/base/deadline_wheel.hpp"
#include "doorward/base/random.hpp"
#include "doorward/config/model.hpp"
#include "doorward/net/executor.hpp"
#include "doorward/net/stream.hpp"
#include "doorward/net/task.hpp"
#include "doorward/redis/client.hpp"
#include "doorward/redis/error_kind.hpp"

namespace doorward::redis {

struct feed_message;

/// Told what a feed hears, within its work or within take().
struct feed_listener {
  /// Whoever wants to hear of its keys says `CLIENT TRACKING ON REDIRECT client`, on a connection to the same server;
  /// it is the same if `PUBSUB CHANNELS channel` knows it there: that goes by who has subscribed at this very server to
  /// this very name. Numbers of clients are small, and another server may have one of the same.
  virtual void on_ready(long long client, std::string_view channel) noexcept = 0;
  virtual void on_invalidated(std::string_view key) noexcept = 0;
  /// All keys: FLUSHALL, FLUSHDB.
  virtual void on_flushed() noexcept = 0;
  /// Nothing is heard any more, or could not be to begin with. Another attempt follows by itself.
  virtual void on_lost(error_kind why, std::string_view detail) noexcept = 0;

protected:
  ~feed_listener() = default;
};

/// A connection to Redis of its own that hears which keys have changed: what another connection is told when it tracks
/// keys, in RESP2, which is the older protocol's way (docs/adr/0025). Keeps itself connected, and asks Redis every
/// second whether it is still there: a half-open connection is silent like a quiet one. One a worker, not thread-safe.
class invalidation_feed {
public:
  /// `wheel`, `random` and `to` must outlive it, and the context must have run to its end after close() before it goes.
  invalidation_feed(net::asio::io_context& context, deadline_wheel& wheel, config::redis_config const& config,
                    fast_random& random, feed_listener& to, timing const& times = {});
  invalidation_feed(invalidation_feed const&) = delete;
  invalidation_feed& operator=(invalidation_feed const&) = delete;

  /// Begins to connect. Once.
  void start();
  /// Ends it for good; nobody is told.
  void close() noexcept;
  /// Leaves this connection for another one, later. `on_lost` is called before this returns.
  void leave(std::string_view why) noexcept;

  /// Hears what has arrived, without waiting to be told that something has: one system call when nothing has.
  void take() noexcept;

private:
  using timer = net::asio::basic_waitable_timer<steady, net::asio::wait_traits<steady>, net::executor>;
  enum class step { auth, id, channel, invalidations, ready };

  [[nodiscard]] net::task<> run();
  [[nodiscard]] net::task<> attend();
  [[nodiscard]] net::task<> listen(net::stream& s, net::watch& w);
  [[nodiscard]] std::string greeting();
  void hear();
  void hear(feed_message const& m);
  void refuse(std::string_view text);
  void ready();
  void ask_whether_there(net::stream& s);
  void lose(error_kind why, std::string_view detail) noexcept;
  void due_in(milliseconds time) noexcept;

  net::asio::io_context& context_;
  deadline_wheel& wheel_;
  config::redis_config const config_;
  fast_random& random_;
  feed_listener& to_;
  timing const times_;
  timer pause_;

  net::stream* stream_ = nullptr;  ///< in the coroutine's frame, while there is a connection
  net::watch* watch_ = nullptr;    ///< beside it
  std::vector<char> buffer_;
  std::size_t filled_ = 0;
  std::string channel_;
  step step_ = step::auth;
  long long client_ = 0;
  time_point due_{};       ///< for the next step, the next PING or the answer to it
  bool awaiting_ = false;  ///< the answer to a PING
  bool lost_ = false;      ///< this connection
  bool refused_ = false;   ///< ... because Redis said no
  bool closed_ = false;
};

}  // namespace doorward::redis
