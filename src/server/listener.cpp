#include "doorward/server/listener.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include "doorward/net/async.hpp"
#include "doorward/obs/log.hpp"
#include "doorward/obs/trace.hpp"
#include "doorward/pipeline/answer.hpp"
#include "server/http1_connection.hpp"
#include "server/peer_address.hpp"
#include "server/place.hpp"

namespace doorward::server {
namespace {

constexpr milliseconds after_a_failed_accept{100};

}  // namespace

/// One listening socket of one worker.
struct listener::acceptor_slot {
  acceptor_slot(net::asio::io_context& context, int fd, config::listener_config const& h, std::size_t i)
      : acceptor(context), how(h), index(i) {
    using net::asio::generic::stream_protocol;
    acceptor.assign(stream_protocol(is_unix() ? AF_UNIX : AF_INET6, 0), fd);
  }
  [[nodiscard]] bool is_unix() const noexcept { return how.address.type == config::endpoint::kind::unix_socket; }

  net::asio::basic_socket_acceptor<net::asio::generic::stream_protocol, net::executor> acceptor;
  config::listener_config const& how;
  std::size_t const index;  // of server.listen
  bool closing = false;
};

listener::listener(runtime::worker& w) : worker_(w), exchanges_(w) {}

listener::~listener() = default;

void listener::accept_on(int fd, std::size_t index) {
  auto const& how = worker_.view.config.server.listen[index];
  slots_.push_back(std::make_unique<acceptor_slot>(worker_.context, fd, how, index));
  ++accepting_;
  net::spawn(accept_loop(*slots_.back()));
}

std::optional<place> listener::admit(net::socket& s, acceptor_slot const& slot) {
  place taken(worker_.shared.connections, worker_.shared.per_listener[slot.index]);
  auto const most = worker_.view.config.server.limits.connections;
  auto const most_here = slot.how.connections == 0 ? most : slot.how.connections;
  if (taken.of_all() <= most && taken.of_listener() <= most_here) return taken;
  net::stream refused(std::move(s));
  if (!slot.how.tls) tell_refused(refused, errc::overloaded);
  using obs::log::level;
  if (taken.of_all() > most)
    worker_.limiter.write(worker_.wheel.now(), level::warn, "connection_limit", {{"connections", most}});
  else
    worker_.limiter.write(worker_.wheel.now(), level::warn, "listener_limit",
                          {{"address", slot.how.address.text}, {"connections", most_here}});
  return std::nullopt;
}

bool listener::admit_client(net::stream& s, pipeline::peer& from) {
  // A proxy speaks for many, and a unix socket for nobody in particular.
  from.counted = !from.trusted && !from.is_unix;
  if (!from.counted || worker_.shared.per_address.enter(from.address)) return true;
  from.counted = false;
  if (!from.tls) tell_refused(s, errc::overloaded);
  worker_.limiter.write(
      worker_.wheel.now(), obs::log::level::warn, "address_limit",
      {{"client", from.text}, {"connections", worker_.view.config.server.limits.connections_per_address}});
  return false;
}

// Nothing of it has been read, so nothing can be said about its request. It is told if that is possible at once.
void listener::tell_refused(net::stream& s, errc why) {
  auto const id = obs::new_request_id(worker_.random);
  pipeline::answer_context context;
  context.request_id = obs::view(id);
  context.date = worker_.date;
  pipeline::refusal refused;
  refused.why = why;
  worker_.out.clear();
  pipeline::append_refusal(worker_.out, context, refused);
  (void)s.try_write(worker_.out);
  worker_.metrics.request(obs::worker_metrics::no_route, http::method::other, about(why).status, why, {});
}

net::task<> listener::accept_loop(acceptor_slot& slot) {
  using net::asio::generic::stream_protocol;
  while (!slot.closing) {
    net::socket s(worker_.context);
    stream_protocol::endpoint from;
    auto const ec = co_await net::async<boost::system::error_code>(
        [&](auto handler) { slot.acceptor.async_accept(s, from, std::move(handler)); });
    if (slot.closing) break;
    if (ec && ec != boost::system::errc::connection_aborted) {
      // Most likely no descriptor is left (EMFILE, ENFILE). Trying again at once would only burn the CPU.
      worker_.limiter.write(worker_.wheel.now(), obs::log::level::error, "accept_failed", {{"error", ec.message()}});
      net::asio::basic_waitable_timer<steady, net::asio::wait_traits<steady>, net::executor> pause(
          worker_.context, after_a_failed_accept);
      co_await net::async<boost::system::error_code>([&](auto handler) { pause.async_wait(std::move(handler)); });
      continue;
    }
    if (ec) continue;
    auto admitted = admit(s, slot);
    if (!admitted) continue;
    auto peer = slot.is_unix() ? unix_peer() : tcp_peer(from);
    peer.tls = slot.how.tls;
    peer.redirect_to_https = slot.how.redirect_to_https;
    net::spawn(
        http1_connection::serve(*this, std::move(s), std::move(*admitted), std::move(peer), slot.how.proxy_protocol));
  }
  --accepting_;
}

void listener::drain() noexcept {
  worker_.draining = true;
  for (auto& slot : slots_) {
    slot->closing = true;
    boost::system::error_code ignored;
    slot->acceptor.close(ignored);
  }
  for (auto it = connections_.begin(); it != connections_.end();) {
    auto& c = *it++;  // it may end at once, and leave the list
    c.drain();
  }
}

void listener::cut() noexcept {
  for (auto it = connections_.begin(); it != connections_.end();) {
    auto& c = *it++;
    c.cut();
  }
}

}  // namespace doorward::server
