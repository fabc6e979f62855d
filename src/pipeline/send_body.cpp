#include <array>

#include "doorward/http/chunk_frame.hpp"
#include "pipeline/upstream_exchange.hpp"

namespace doorward::pipeline {
namespace {

net::task<bool> write_piece(exchange& x, upstream_exchange& u, std::span<char> data, bool last) {
  http::chunk_frame frame;
  auto const chunked = x.head.body == http::framing::chunked;
  if (chunked) frame.wrap(data.size(), last);
  std::array parts{net::as_iovec(frame.before()), net::as_iovec({data.data(), data.size()}),
                   net::as_iovec(frame.after())};
  auto const status = co_await net::write_all(u.stream(), u.body_watch, u.timeouts().idle, parts);
  co_return status == net::io_status::ok;
}

}  // namespace

net::task<> send_body(exchange& x, upstream_exchange& u) {
  auto const limit = x.route->body_limit;
  std::size_t this_turn = 0;
  for (;;) {
    auto const data = co_await x.client->read_body(u.body_watch, limit);
    if (u.stop_body) co_return;
    if (!data) {
      u.body_error = to_errc(data.error());
      break;
    }
    auto const last = x.client->body_finished();
    bool const written = co_await write_piece(x, u, *data, last);
    if (u.stop_body) co_return;
    // The upstream takes no more: it has answered already, or it is gone, or stuck. The one who reads the answer finds
    // out.
    if (!written) {
      u.body_stuck = true;
      co_return;
    }
    if (last) {
      u.body_sent = true;
      co_return;
    }
    this_turn += data->size();
    if (this_turn > bytes_a_turn) {
      co_await x.worker.turns.next();
      this_turn = 0;
      if (u.stop_body) co_return;
    }
  }
  // Half a request must not stay on a connection that others use, and nobody need wait for its answer.
  u.stream().shutdown();
}

}  // namespace doorward::pipeline
