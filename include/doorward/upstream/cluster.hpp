#pragma once

#include <boost/intrusive/list.hpp>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "doorward/config/model.hpp"
#include "doorward/net/endpoint.hpp"
#include "doorward/net/read_guess.hpp"
#include "doorward/net/stream.hpp"
#include "doorward/net/tls.hpp"
#include "doorward/net/turn_queue.hpp"
#include "doorward/obs/log.hpp"

namespace doorward::upstream {

class endpoint_pool;
class cluster;

namespace detail {
using hook = boost::intrusive::list_base_hook<boost::intrusive::tag<cluster>,
                                              boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
}

/// One connection to an endpoint: idle in its pool, or out on a lease.
class connection : public detail::hook {
public:
  connection(endpoint_pool& home, net::executor e) : stream(e), home_(&home) {}

  net::stream stream;

private:
  friend class endpoint_pool;
  friend class cluster;
  friend class lease;
  endpoint_pool* home_;
  time_point idle_since_{};
};

/// The right to use a connection. Unless keep() was called, the connection is closed when the lease ends: whatever
/// went wrong, nothing is left over for the next request.
class lease {
public:
  lease() = default;
  lease(std::unique_ptr<connection> c, bool reused) noexcept : connection_(std::move(c)), reused_(reused) {}
  lease(lease&&) noexcept = default;
  lease& operator=(lease&& other) noexcept;
  ~lease() { end(); }

  [[nodiscard]] explicit operator bool() const noexcept { return connection_ != nullptr; }
  [[nodiscard]] net::stream& stream() const noexcept { return connection_->stream; }
  /// It has carried a request before, so it may have died unnoticed since.
  [[nodiscard]] bool reused() const noexcept { return reused_; }
  /// Gives the connection back to its pool instead of closing it: only after a whole response, to its last byte, of
  /// an upstream that keeps the connection.
  void keep() noexcept;
  /// Closes now.
  void end() noexcept;

private:
  std::unique_ptr<connection> connection_;
  bool reused_ = false;
};

/// The connections of one worker to one endpoint: idle ones last in, first out, so that the warm one is used and the
/// rest can grow old; at most a share of the endpoint's connections in all.
class endpoint_pool {
public:
  endpoint_pool(cluster& owner, config::endpoint const& where, std::size_t most);
  endpoint_pool(endpoint_pool const&) = delete;
  endpoint_pool& operator=(endpoint_pool const&) = delete;
  ~endpoint_pool();

  [[nodiscard]] std::size_t open() const noexcept { return open_; }
  [[nodiscard]] std::size_t idle() const noexcept { return idle_count_; }
  [[nodiscard]] net::destination& where() noexcept { return where_; }

private:
  friend class cluster;
  friend class lease;
  using connection_list = boost::intrusive::list<connection, boost::intrusive::base_hook<detail::hook>,
                                                 boost::intrusive::constant_time_size<false>>;

  std::unique_ptr<connection> take_idle();
  void give_back(std::unique_ptr<connection> c) noexcept;
  void closed() noexcept;

  cluster& owner_;
  net::destination where_;
  bool tls_ = false;
  std::string tls_name_;  ///< whom its certificate has to be for
  std::size_t const most_;
  std::size_t open_ = 0;  ///< idle, leased, and being connected
  std::size_t idle_count_ = 0;
  connection_list idle_;  ///< owned; the front was used last
  connection_list busy_;  ///< owned by their leases
};

/// An upstream as one worker sees it. Not thread-safe.
class cluster {
public:
  /// `workers` share the endpoint's connections evenly.
  cluster(net::asio::io_context& context, net::turn_queue& turns, deadline_wheel& wheel,
          config::upstream_config const& c, unsigned workers);
  cluster(cluster const&) = delete;
  cluster& operator=(cluster const&) = delete;

  /// Gets ready for endpoints of https://, of which there may be none. False, and why, when that cannot be.
  [[nodiscard]] bool use_tls(std::string& error);

  /// An idle connection to the endpoint whose turn it is, at once; an empty lease when there is none. It has been
  /// looked at: one that its peer has closed, or sent something on that nobody asked for, is not used.
  [[nodiscard]] lease take_idle();

  /// A new connection, to the next endpoint in turn and then, when it refuses, to the others, `retries` of them. Waits
  /// for a free place at most `timeouts.connect`. errc::upstream_connect, upstream_connect_timeout,
  /// upstream_tls or upstream_saturated.
  [[nodiscard]] net::task<result<lease>> connect(net::watch& w);

  /// Resolves the names of all endpoints once.
  [[nodiscard]] net::task<> resolve();

  /// Closes what has been idle too long, or was closed by its peer. Call about once a second.
  void sweep(time_point now) noexcept;
  /// Closes what is idle and keeps nothing from now on.
  void retire() noexcept;
  /// Breaks what is on loan too, tells those who wait for a place that there is none, and opens nothing any more: for
  /// the end of the worker, when there is no clock to end a wait.
  void cut() noexcept;

  [[nodiscard]] config::upstream_config const& config() const noexcept { return config_; }
  /// Whether answers are there before they are waited for.
  [[nodiscard]] net::read_guess& answers() noexcept { return answers_; }
  [[nodiscard]] std::size_t idle() const noexcept;
  [[nodiscard]] std::size_t open() const noexcept;

private:
  friend class endpoint_pool;

  /// Somebody who waits for an endpoint to have a place again; in the frame of connect().
  class place_waiter final : public detail::hook, public net::turn_node, public deadline_entry {
  public:
    explicit place_waiter(net::turn_queue& turns) noexcept : turns_(turns) {}
    /// Ends the wait: with a connection, with a place to open one in, or with neither.
    void wake(std::unique_ptr<connection> c, endpoint_pool* free) noexcept;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) noexcept { handle_ = h; }
    void await_resume() const noexcept {}

    std::unique_ptr<connection> handed;
    endpoint_pool* pool = nullptr;  ///< has a place, which is counted as open already

  private:
    void on_turn() noexcept override { handle_.resume(); }
    void on_deadline() noexcept override { wake(nullptr, nullptr); }

    net::turn_queue& turns_;
    std::coroutine_handle<> handle_;
  };
  using waiter_list = boost::intrusive::list<place_waiter, boost::intrusive::base_hook<detail::hook>,
                                             boost::intrusive::constant_time_size<false>>;

  [[nodiscard]] endpoint_pool* take_place() noexcept;
  [[nodiscard]] net::task<result<lease>> open_in(endpoint_pool& pool, net::watch& w);
  [[nodiscard]] net::task<result<void>> secure(net::stream& s, net::watch& w, time_point until,
                                               std::string const& host);

  net::asio::io_context& context_;
  net::turn_queue& turns_;
  deadline_wheel& wheel_;
  config::upstream_config config_;
  std::vector<std::unique_ptr<endpoint_pool>> endpoints_;
  std::unique_ptr<net::tls_client> tls_;  // null when no endpoint is of https://
  obs::log::limiter limiter_;
  net::read_guess answers_;
  std::size_t next_endpoint_ = 0;
  bool retired_ = false;
  bool cut_ = false;
  waiter_list waiting_;
};

}  // namespace doorward::upstream
