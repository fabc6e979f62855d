#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "doorward/base/redacted.hpp"
#include "doorward/base/result.hpp"
#include "doorward/config/model.hpp"

namespace doorward::admin {

/// May the world send requests here?
struct readiness {
  bool ready = false;                ///< configuration loaded, Redis reached once since start, not draining
  bool strict_ready = false;         ///< and Redis can be reached now
  std::vector<std::string> reasons;  ///< what stands against either, in a few words each
};

/// What `/sessions` needs: who may ask, and where sessions are.
struct session_access {
  redacted token;  ///< empty: nobody may
  config::redis_config redis;
  config::session_config session;
};

/// Where the answers come from. Called on the admin thread, one at a time; may block for a moment. One that throws is
/// answered 500.
struct sources {
  std::function<readiness()> ready;
  std::function<std::string()> metrics_text;  ///< Prometheus text format 0.0.4
  std::function<std::string()> config_json;   ///< secrets redacted
  session_access sessions = {};
  /// Told whose sessions were ended under /sessions, and how many. On the admin thread.
  std::function<void(std::string const&, std::uint64_t)> sessions_ended = {};
};

/// The admin listener: `/livez`, `/readyz` (`?strict=1`), `/metrics`, `/config`, on a thread of its own, so that it
/// answers while every worker is busy. It trusts no header, and is for a private network only: it asks nobody who
/// they are, except under `/sessions`, which is for whoever has the token. With a token it has a connection to Redis,
/// whose replies nobody waits for but who asked.
class server {
public:
  static constexpr std::size_t most_connections = 64;

  /// Binds, and starts the thread. A unix socket's path is taken over when nobody listens on it any more. Errors are
  /// the operating system's.
  [[nodiscard]] static result<std::unique_ptr<server>> start(config::endpoint const& where, sources from);

  server(server const&) = delete;
  server& operator=(server const&) = delete;
  /// Closes every connection, waits for the thread, removes the socket's file.
  ~server();

  /// Where it listens: "127.0.0.1:9090", "[::1]:9090" or "unix:/path".
  [[nodiscard]] std::string const& address() const noexcept;

private:
  class impl;
  explicit server(std::unique_ptr<impl> i);
  std::unique_ptr<impl> impl_;
};

}  // namespace doorward::admin
