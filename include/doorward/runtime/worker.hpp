#pragma once

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "doorward/auth/assertion.hpp"
#include "doorward/auth/envelope.hpp"
#include "doorward/auth/failed_logins.hpp"
#include "doorward/auth/login_attempt.hpp"
#include "doorward/base/deadline_wheel.hpp"
#include "doorward/base/random.hpp"
#include "doorward/net/buffer.hpp"
#include "doorward/net/executor.hpp"
#include "doorward/net/tls.hpp"
#include "doorward/net/turn_queue.hpp"
#include "doorward/obs/access_log.hpp"
#include "doorward/obs/log.hpp"
#include "doorward/obs/metrics.hpp"
#include "doorward/redis/client.hpp"
#include "doorward/runtime/address_counts.hpp"
#include "doorward/runtime/live_sessions.hpp"
#include "doorward/runtime/login_gate.hpp"
#include "doorward/runtime/revocations.hpp"
#include "doorward/runtime/snapshot.hpp"
#include "doorward/session/cache_keeper.hpp"
#include "doorward/session/redis_store.hpp"
#include "doorward/upstream/cluster.hpp"

namespace doorward::runtime {

/// What all workers share: written once in a connection's life, and by logins, log-outs and streams that are opened or
/// ended; never by any other request.
struct shared_state {
  explicit shared_state(config::model const& m)
      : per_listener(m.server.listen.size()),
        per_address(m.server.limits.connections_per_address),
        logins(m.identity.guard.in_flight, m.identity.guard.queue),
        failed_by_address(rules_of(m.identity.guard, m.identity.guard.failures_per_address)),
        failed_by_user(rules_of(m.identity.guard, m.identity.guard.failures)) {}

  std::atomic<std::size_t> connections{0};             ///< clients' connections, for limits.connections
  std::vector<std::atomic<std::size_t>> per_listener;  ///< of them, for listen[].connections; in the same order
  address_counts per_address;
  login_gate logins;
  auth::login_keys login_keys;
  auth::failed_logins failed_by_address;
  auth::failed_logins failed_by_user;
  runtime::revocations revocations;
  /// Of all workers, whose contexts own them together. For the main thread.
  std::shared_ptr<net::ticket_keys> tickets = std::make_shared<net::ticket_keys>();

private:
  static auth::failed_logins::rules rules_of(config::login_guard const& g, unsigned failures) noexcept {
    return {failures, g.window, g.ban};
  }
};

/// What TLS listeners need, from certificates that the loader found no fault with; null where there are none. OpenSSL
/// may have a last objection (a key that is too short), which is in `error` then.
[[nodiscard]] std::shared_ptr<net::tls_server const> make_tls_server(config::server_config const& c,
                                                                     std::shared_ptr<net::ticket_keys> tickets,
                                                                     std::string& error);

/// Everything one thread needs to serve: its loop, its clock, its connections to Redis and the upstreams, its counters.
/// Workers share nothing but `shared_state` and never call each other; whoever wants something of one posts to its
/// `context`. Lives on one thread from the moment its `context` is run there.
class worker {
  class redis_observer;
  std::unique_ptr<redis_observer> observer_;  // before the client that calls it

public:
  /// `count` workers share the upstreams' connections. `writer` and `shared` must outlive the worker.
  worker(unsigned number, unsigned count, config::model const& m, shared_state& all, obs::log_writer& writer,
         obs::access_style style);
  worker(worker const&) = delete;
  worker& operator=(worker const&) = delete;
  ~worker();

  /// Gets TLS ready, on both sides. False, and why, when that cannot be. Before start().
  [[nodiscard]] bool prepare(std::string& error);
  /// Connects to Redis, resolves names, starts the clock. Before anything listens. `copies`: with the near-cache, where
  /// it is on.
  void start(bool copies = true);
  /// Stops what start() started, so that running the `context` comes to its end.
  void stop() noexcept;

  /// The counters as they are now. On the worker's thread.
  [[nodiscard]] obs::worker_gauges gauges() const;

  [[nodiscard]] upstream::cluster& cluster(std::size_t index) noexcept { return *clusters_[index]; }

  unsigned const number;
  shared_state& shared;
  net::asio::io_context context;
  net::turn_queue turns;
  deadline_wheel wheel;
  net::buffer_pool buffers;
  fast_random random;
  snapshot const view;
  redis::client redis;
  std::shared_ptr<session::near_cache> const near;  ///< null where it is off; the store's, too
  session::redis_store store;
  auth::assertion_signer assertions;
  auth::envelope_opener envelopes;
  obs::worker_metrics metrics;
  live_sessions live;  ///< sessions that have a tunnel or an event stream open here
  obs::access_log access_log;
  obs::log::limiter limiter;

  /// Scratch for a head or an answer: built and sent in one go, so that one serves all connections. Nothing may wait
  /// between the two.
  std::string out;
  /// Now, as IMF-fixdate (RFC 9110 section 5.6.7); renewed by the clock.
  std::string date;

  /// What TLS listeners show; replaced when certificates are renewed, and then kept by handshakes under way.
  std::shared_ptr<net::tls_server const> tls;

  std::size_t connections_active = 0;  ///< with a request on them
  std::size_t connections_idle = 0;
  std::size_t connections_tunnel = 0;
  bool draining = false;  ///< answers say that the connection closes

private:
  void tick();
  void every_second();

  std::unique_ptr<session::cache_keeper> keeper_;  ///< of `near`
  std::vector<std::unique_ptr<upstream::cluster>> clusters_;
  net::asio::basic_waitable_timer<steady, net::asio::wait_traits<steady>, net::executor> timer_;
  unsigned ticks_ = 0;
  bool stopped_ = false;
};

}  // namespace doorward::runtime
