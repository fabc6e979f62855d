#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "doorward/base/result.hpp"
#include "doorward/base/time.hpp"
#include "doorward/net/executor.hpp"
#include "doorward/net/stream.hpp"
#include "doorward/net/task.hpp"

namespace doorward::net {

using socket_address = asio::generic::stream_protocol::endpoint;

/// Where to connect to: a host and port whose name is resolved now and then, or a Unix socket. One a worker; lives as
/// long as the worker's io_context runs. Literal addresses and Unix sockets need no resolving.
class destination {
public:
  /// How long the addresses of a name are used before it is asked for again.
  static constexpr std::chrono::seconds name_lifetime{10};

  static destination tcp(std::string host, std::uint16_t port);
  static destination unix_socket(std::string const& path);

  [[nodiscard]] bool is_tcp() const noexcept { return tcp_; }

  /// Asks for the name's addresses. Old ones stay in use when there is no answer.
  [[nodiscard]] task<> resolve(asio::io_context& context);

  /// The addresses to try, first one first; empty when the name has never been resolved. Never waits: old addresses
  /// are given out while newer ones are asked for in the background.
  [[nodiscard]] std::vector<socket_address> const& addresses(asio::io_context& context, time_point now);

private:
  std::string host_;  ///< empty for what needs no resolving
  std::string service_;
  bool tcp_ = false;
  bool resolving_ = false;
  std::vector<socket_address> known_;
  time_point asked_{};
};

/// Connects `s` (closed, or new) to the first of `to`'s addresses that takes it. errc::upstream_connect, or
/// errc::upstream_connect_timeout when `timeout` passed over all of them.
[[nodiscard]] task<result<void>> connect(asio::io_context& context, stream& s, watch& w, destination& to,
                                         milliseconds timeout);

}  // namespace doorward::net
