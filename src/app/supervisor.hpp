#pragma once

#include <future>
#include <memory>
#include <string>
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

  /// Binds every listener before anything else is started. The error's text says which address.
  [[nodiscard]] bool start(std::string& error);

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

  [[nodiscard]] admin::readiness ready();
  [[nodiscard]] std::string metrics_text();

  config::model config_;
  obs::log_writer writer_;
  runtime::shared_state shared_;
  std::vector<server::bound_socket> sockets_;
  std::vector<std::unique_ptr<crew>> crews_;
  std::unique_ptr<admin::server> admin_;
  std::atomic<bool> ending_{false};
  bool stopped_ = false;
};

}  // namespace doorward::app
