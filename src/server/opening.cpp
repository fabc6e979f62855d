// What comes before the first request of a connection: the PROXY header, the client's place, TLS.
#include "doorward/net/proxy_header.hpp"
#include "doorward/net/tls.hpp"
#include "doorward/obs/log.hpp"
#include "server/http1_connection.hpp"
#include "server/peer_address.hpp"

namespace doorward::server {

using obs::log::level;

// False when there is nobody to serve.
net::task<bool> http1_connection::open(bool proxied) {
  from_.trusted = !from_.is_unix && worker_.view.is_trusted(from_.address);
  if (!proxied && !from_.tls) co_return listener_.admit_client(stream_, from_);
  // One deadline for all of it: a byte now and then does not buy time.
  opening_ = true;
  watch_.limit(worker_.wheel.now() + worker_.view.config.server.timeouts.header);
  if (worker_.draining) hurry();
  bool good = true;
  if (proxied) good = co_await read_proxy_header();
  good = good && listener_.admit_client(stream_, from_);
  if (good && from_.tls) good = co_await secure();
  opening_ = false;
  watch_.limit(time_point::max());
  co_return good;
}

// Says who the client is. What follows it, TLS or a request, is left in the socket.
net::task<bool> http1_connection::read_proxy_header() {
  auto const refuse = [this](char const* why) {
    worker_.limiter.write(worker_.wheel.now(), level::warn, "proxy_header_refused",
                          {{"peer", from_.text}, {"reason", why}});
    return false;
  };
  // Whoever is not a proxy of ours could claim to be anybody.
  if (!from_.trusted && !from_.is_unix) co_return refuse("the peer is not in trusted_proxies");

  auto const room = buffer_.room().first(net::longest_proxy_header);
  std::size_t have = 0;
  net::proxy_header header;
  for (;;) {
    // Only looked at: what stands behind the header is not ours to take.
    auto const r = stream_.peek_socket(room.subspan(have));
    if (r.status == net::io_status::eof || r.status == net::io_status::error) co_return false;
    if (r.status == net::io_status::ok) {
      header = net::read_proxy_header({room.data(), have + r.bytes});
      if (header.outcome != net::proxy_header::state::incomplete) break;
      (void)stream_.try_read(room.subspan(have, r.bytes));
      have += r.bytes;
      continue;
    }
    bool const in_time = co_await stream_.readable(watch_, milliseconds::max());
    if (!in_time) co_return refuse("it did not come in time");
  }
  if (header.outcome == net::proxy_header::state::malformed) co_return refuse("it is none");
  (void)stream_.try_read(room.subspan(have, header.size - have));
  buffer_.release();
  // Whom the proxy cannot name is not the proxy, and not believed like it.
  if (header.unknown) from_.trusted = false;
  if (header.local || header.unknown) co_return true;
  auto client = named_peer(header.source);
  client.trusted = worker_.view.is_trusted(client.address);
  client.tls = from_.tls;
  client.redirect_to_https = from_.redirect_to_https;
  from_ = std::move(client);
  co_return true;
}

// Whoever connects and says nothing (a load balancer that looks whether we are there) is no handshake that failed, and
// costs no more than it does without TLS.
net::task<bool> http1_connection::await_first_byte() {
  char byte;
  for (;;) {
    auto const r = stream_.peek_socket({&byte, 1});
    if (r.status != net::io_status::again) co_return r.status == net::io_status::ok;
    bool const in_time = co_await stream_.readable(watch_, milliseconds::max());
    if (!in_time) co_return false;
  }
}

net::task<bool> http1_connection::secure() {
  bool const begun = co_await await_first_byte();
  if (!begun) co_return false;
  auto const server = worker_.tls;  // kept: a renewed certificate takes its place in the worker
  stream_.start_tls(server->accept(stream_.native().native_handle()));
  auto const status = co_await net::handshake(stream_, watch_, milliseconds::max());
  auto const& channel = *stream_.tls();
  if (status == net::io_status::ok) {
    from_.certificate_subject = channel.peer_subject();
    worker_.metrics.tls_handshake(channel.resumed() ? obs::handshake_result::resumed : obs::handshake_result::full);
    co_return true;
  }
  bool const late = status == net::io_status::again;
  if (!late && channel.failure().empty()) co_return false;  // it was cut here
  worker_.metrics.tls_handshake(obs::handshake_result::failed);
  worker_.limiter.write(worker_.wheel.now(), level::info, "tls_handshake_failed",
                        {{"client", from_.text}, {"reason", late ? "it was not done in time" : channel.failure()}});
  // Somebody wrote http:// for https://. It can be told so, because it reads plain text.
  if (channel.spoke_http()) {
    stream_.start_tls(nullptr);
    listener_.tell_refused(stream_, errc::bad_request);
  }
  co_return false;
}

}  // namespace doorward::server
