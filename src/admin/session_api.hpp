#pragma once

#include <functional>
#include <string>

#include "admin/session_request.hpp"
#include "doorward/admin/server.hpp"
#include "doorward/base/random.hpp"
#include "doorward/net/task.hpp"
#include "doorward/net/turn_queue.hpp"
#include "doorward/obs/log.hpp"
#include "doorward/redis/client.hpp"
#include "doorward/session/redis_store.hpp"

namespace doorward::admin {

/// `/sessions`: people's sessions, seen and ended by whoever has the token. It has a connection to Redis of its own, so
/// that a slow Redis makes nobody wait but who asks here, and no worker is asked for anything. On the admin thread.
class session_api {
public:
  /// `context` and `from` must outlive it.
  session_api(net::asio::io_context& context, session_access const& access, sources const& from);
  session_api(session_api const&) = delete;
  session_api& operator=(session_api const&) = delete;

  void start() { redis_.start(); }
  /// Whoever waits for Redis is resumed at the end of the ready queue, and gets 503.
  void close() noexcept { redis_.close(); }

  /// `client` is the address of who asks, for the log. Views of the request are read before the first wait.
  [[nodiscard]] net::task<response> answer(session_request r, std::string client);

private:
  net::task<response> list(session_wish wish);
  net::task<response> one(session_wish wish, std::string client);
  net::task<response> end_all(session_wish wish, std::string client);
  void note_ended(std::string const& user, std::uint64_t count, std::string const& client);

  session_access const access_;
  sources const& from_;
  net::turn_queue turns_;
  fast_random random_;
  redis::client redis_;
  session::redis_store store_;
  obs::log::limiter limiter_;
};

}  // namespace doorward::admin
