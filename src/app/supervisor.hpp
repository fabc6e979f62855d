#pragma once

#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "doorward/admin/server.hpp"
#include "doorward/config/model.hpp"
#include "doorward/obs/log_writer.hpp"
#include "doorward/runtime/worker.hpp"
#include "doorward/server/listener.hpp"

namespace doorward::app {

/// The whole program: binds, starts a thread a worker and the admin listener, and takes everything down in order. Its
/// methods are for the main thread.
class supervisor {
public:
  explicit supervisor(config::model m);
  supervisor(supervisor const&) = delete;
  supervisor& operator=(supervisor const&) = delete;
  /// Ends what still runs.
  ~supervisor();

  /// Binds every listener before anything else is started. The error says what could not be done.
  [[nodiscard]] bool start(std::string& error);

  /// Takes up the files of certificates that have changed, for connections to come. What cannot be used is logged, and
  /// the old ones stay; so they do while a file is younger than `settled`. Keys of tickets that are too old go.
  void renew_certificates(milliseconds settled);

  /// From now on /readyz says no; serving goes on.
  void announce_end() noexcept;
  /// Stops listening; connections end with their answers.
  void drain();
  /// True when no connection is left. Asks every worker.
  [[nodiscard]] bool drained();
  /// Breaks what is left, and waits for the threads.
  void stop();

private:
  struct crew;  // a worker, its listener, its thread

  void report_renewal(std::string const& error);
  [[nodiscard]] admin::readiness ready();
  [[nodiscard]] std::string metrics_text();
  void sessions_ended(std::string_view user, std::uint64_t count);

  config::model config_;
  config::server_config certificates_;  // as they are now; of it, `tls` and `clients` only
  obs::log_writer writer_;
  runtime::shared_state shared_;
  std::vector<server::bound_socket> sockets_;
  std::vector<std::unique_ptr<crew>> crews_;
  std::unique_ptr<admin::server> admin_;
  std::uint64_t ended_by_admin_ = 0;  // sessions; on the admin thread
  std::string renewal_error_;         // the last one that was logged
  std::atomic<bool> ending_{false};
  bool stopped_ = false;
};

}  // namespace doorward::app
