#include "doorward/server/listener.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include "doorward/net/async.hpp"
#include "doorward/obs/log.hpp"
#include "doorward/obs/trace.hpp"
#include "doorward/pipeline/answer.hpp"
#include "server/http1_connection.hpp"
#include "server/peer_address.hpp"

namespace doorward::server {
namespace {

constexpr milliseconds after_a_failed_accept{100};

}  // namespace

/// One listening socket of one worker.
class listener::acceptor_slot {
public:
  acceptor_slot(net::asio::io_context& context, int fd, bool is_unix) : acceptor(context), unix_socket(is_unix) {
    using net::asio::generic::stream_protocol;
    acceptor.assign(stream_protocol(is_unix ? AF_UNIX : AF_INET6, 0), fd);
  }

  net::asio::basic_socket_acceptor<net::asio::generic::stream_protocol, net::executor> acceptor;
  bool unix_socket;
  bool closing = false;
};

listener::listener(runtime::worker& w) : worker_(w), exchanges_(w) {}

listener::~listener() = default;

void listener::accept_on(int fd, bool is_unix) {
  slots_.push_back(std::make_unique<acceptor_slot>(worker_.context, fd, is_unix));
  ++accepting_;
  net::spawn(accept_loop(*slots_.back()));
}

bool listener::admit(net::socket& s, pipeline::peer& from) {
  auto& all = worker_.shared;
  auto const& limits = worker_.view.config.server.limits;
  if (all.connections.fetch_add(1, std::memory_order_relaxed) >= limits.connections) {
    refuse(s);
    worker_.limiter.write(worker_.wheel.now(), obs::log::level::warn, "connection_limit",
                          {{"connections", limits.connections}});
    return false;
  }
  // A proxy speaks for many, and a unix socket for nobody in particular.
  from.counted = !from.trusted && !from.is_unix;
  if (from.counted && !all.per_address.enter(from.address)) {
    refuse(s);
    worker_.limiter.write(worker_.wheel.now(), obs::log::level::warn, "address_limit",
                          {{"client", from.text}, {"connections", limits.connections_per_address}});
    return false;
  }
  return true;
}

// Nothing of it has been read, so nothing can be said about its request. It is told if that is possible at once.
void listener::refuse(net::socket& s) {
  worker_.shared.connections.fetch_sub(1, std::memory_order_relaxed);
  net::stream refused(std::move(s));
  auto const id = obs::new_request_id(worker_.random);
  pipeline::answer_context context;
  context.request_id = obs::view(id);
  context.date = worker_.date;
  pipeline::refusal why;
  why.why = errc::overloaded;
  worker_.out.clear();
  pipeline::append_refusal(worker_.out, context, why);
  (void)refused.try_write(worker_.out);
  worker_.metrics.request(obs::worker_metrics::no_route, http::method::other, 503, errc::overloaded, {});
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
    auto peer = slot.unix_socket ? unix_peer() : tcp_peer(from);
    peer.trusted = !peer.is_unix && worker_.view.is_trusted(peer.address);
    if (!admit(s, peer)) continue;
    net::spawn(http1_connection::serve(*this, std::move(s), std::move(peer)));
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
