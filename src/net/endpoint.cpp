#include "doorward/net/endpoint.hpp"

#include <sys/socket.h>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <cerrno>

#include "doorward/base/errc.hpp"
#include "doorward/net/async.hpp"

namespace doorward::net {

destination destination::tcp(std::string host, std::uint16_t port) {
  destination d;
  d.tcp_ = true;
  boost::system::error_code ec;
  if (auto const literal = asio::ip::make_address(host, ec); !ec) {
    d.known_.emplace_back(asio::ip::tcp::endpoint(literal, port));
  } else {
    d.host_ = std::move(host);
    d.service_ = std::to_string(port);
  }
  return d;
}

destination destination::unix_socket(std::string const& path) {
  destination d;
  d.known_.emplace_back(asio::local::stream_protocol::endpoint(path));
  return d;
}

task<> destination::resolve(asio::io_context& context) {
  if (host_.empty() || resolving_) co_return;
  resolving_ = true;
  using protocol = asio::ip::tcp;
  asio::ip::basic_resolver<protocol, executor> resolver(context);
  auto const answer = co_await async<boost::system::error_code, protocol::resolver::results_type>(
      [&](auto handler) { resolver.async_resolve(host_, service_, std::move(handler)); });
  if (auto const& [ec, found] = answer; !ec) {
    known_.clear();
    for (auto const& entry : found)
      known_.emplace_back(entry.endpoint());
  }
  resolving_ = false;
}

std::vector<socket_address> const& destination::addresses(asio::io_context& context, time_point now) {
  if (!host_.empty() && now - asked_ > name_lifetime) {
    asked_ = now;
    spawn(resolve(context));
  }
  return known_;
}

namespace {

// A Unix socket whose backlog is full says EAGAIN at once, and nothing tells when there is room again. The time is the
// real one: the worker's coarse clock stands still once it is being stopped.
task<int> connect_patiently(asio::io_context& context, stream& s, socket_address const& address, milliseconds timeout) {
  auto const until = steady::now() + timeout;
  for (;;) {
    auto const rc = ::connect(s.native().native_handle(), address.data(), static_cast<socklen_t>(address.size()));
    auto const error = rc == 0 ? 0 : errno;
    if (error != EAGAIN || steady::now() >= until) co_return error;
    asio::basic_waitable_timer<steady, asio::wait_traits<steady>, executor> pause(context, milliseconds{5});
    co_await async<boost::system::error_code>([&](auto handler) { pause.async_wait(std::move(handler)); });
  }
}

}  // namespace

task<result<void>> connect(asio::io_context& context, stream& s, watch& w, destination& to, milliseconds timeout) {
  // One budget for all addresses; waits count from the wheel's coarse clock. The list is copied, because it may be
  // resolved anew while this waits.
  auto const& wheel = w.wheel();
  auto const until = wheel.now() + timeout;
  auto const addresses = to.addresses(context, wheel.now());
  for (auto const& address : addresses) {
    s.close();
    boost::system::error_code ec;
    s.native().open(address.protocol(), ec);
    if (ec) continue;
    s.prepare(to.is_tcp());
    auto const error = co_await connect_patiently(context, s, address, timeout);
    if (error == 0) co_return result<void>{};
    if (error == EAGAIN) {
      s.close();
      co_return errc::upstream_connect_timeout;
    }
    if (error != EINPROGRESS) continue;
    auto const left = std::chrono::duration_cast<milliseconds>(until - wheel.now());
    bool in_time = false;
    if (left.count() > 0) in_time = co_await s.writable(w, left);
    if (!in_time) {
      s.close();
      co_return errc::upstream_connect_timeout;
    }
    int status = 0;
    socklen_t size = sizeof status;
    ::getsockopt(s.native().native_handle(), SOL_SOCKET, SO_ERROR, &status, &size);
    if (status == 0) co_return result<void>{};
  }
  s.close();
  co_return errc::upstream_connect;
}

}  // namespace doorward::net
