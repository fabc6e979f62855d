#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/intrusive/list.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "doorward/config/model.hpp"
#include "doorward/net/read_guess.hpp"
#include "doorward/pipeline/exchange.hpp"
#include "doorward/runtime/worker.hpp"

namespace doorward::server {

/// A listening socket, bound once for all workers and cloned for each: TCP by SO_REUSEPORT, so that the kernel spreads
/// connections without a shared queue; a Unix socket by sharing the descriptor.
class bound_socket {
public:
  /// Binds and listens. Errors are the operating system's. A Unix socket's file that nobody listens on is replaced.
  [[nodiscard]] static result<bound_socket> bind(config::endpoint const& where);

  bound_socket(bound_socket&& other) noexcept;
  bound_socket& operator=(bound_socket&&) = delete;
  ~bound_socket();

  /// A descriptor for another worker; the caller owns it.
  [[nodiscard]] result<int> clone() const;

  /// "127.0.0.1:8080", "[::1]:8080", "unix:/path": with the port that was really bound.
  [[nodiscard]] std::string const& address() const noexcept { return address_; }
  [[nodiscard]] bool is_unix() const noexcept { return !unlink_.empty(); }

private:
  bound_socket() = default;

  int fd_ = -1;
  std::string address_;
  std::string unlink_;  ///< the Unix socket's file, removed at the end
  std::vector<char> name_;
};

/// A client's connection, of whatever protocol, as the listener knows it.
class live_connection
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
  /// Ends after the answer that is under way, or soon when there is none; a tunnel ends now.
  virtual void drain() noexcept = 0;
  /// Ends now, whatever is under way.
  virtual void cut() noexcept = 0;

protected:
  ~live_connection() = default;
};

class http1_connection;
class place;

/// What accepts for one worker, and all its connections.
class listener {
public:
  explicit listener(runtime::worker& w);
  listener(listener const&) = delete;
  listener& operator=(listener const&) = delete;
  ~listener();

  /// Begins to accept on a descriptor of bound_socket::clone(), which it owns from here on. `index`: of
  /// server.listen.
  void accept_on(int fd, std::size_t index);

  /// Stops accepting. Connections end with the answer that is under way or comes next, or soon; tunnels end now.
  void drain() noexcept;
  /// Breaks what is left.
  void cut() noexcept;
  [[nodiscard]] bool idle() const noexcept { return connections_.empty() && accepting_ == 0; }

private:
  friend class http1_connection;
  struct acceptor_slot;
  using connection_list = boost::intrusive::list<live_connection, boost::intrusive::constant_time_size<false>>;

  net::task<> accept_loop(acceptor_slot& slot);
  /// A place, if there is one. Who gets none has been told so, unless it waits for TLS: it would not understand.
  [[nodiscard]] std::optional<place> admit(net::socket& s, acceptor_slot const& slot);
  /// The same for one more of this client; called once it is known.
  [[nodiscard]] bool admit_client(net::stream& s, pipeline::peer& from);
  void tell_refused(net::stream& s, errc why);

  runtime::worker& worker_;
  pipeline::exchange_pool exchanges_;
  std::vector<std::unique_ptr<acceptor_slot>> slots_;
  connection_list connections_;
  net::read_guess requests_;  ///< whether the next one is there before it is waited for
  std::size_t accepting_ = 0;
};

}  // namespace doorward::server
