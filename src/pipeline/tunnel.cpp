#include <algorithm>

#include "pipeline/session_stream.hpp"
#include "pipeline/upstream_exchange.hpp"

namespace doorward::pipeline {
namespace {

// When one side has said all it will say, the other has this long to say something.
constexpr milliseconds silence_after_end{10'000};

struct tunnel {
  milliseconds idle;         // timeouts.stream_idle; a peer that has vanished is noticed earlier, by TCP keep-alive
  time_point last_activity;  // of either direction
  bool half_closed = false;
  [[nodiscard]] milliseconds silence() const noexcept { return half_closed ? std::min(idle, silence_after_end) : idle; }
};

struct direction {
  net::stream& from;
  net::stream& to;
  net::read_buffer& buffer;
  tunnel& whole;
  net::watch watch;
  direction* other = nullptr;
  std::uint64_t bytes = 0;
};

void break_off(direction& d) noexcept {
  d.from.shutdown();
  d.to.shutdown();
}

// Bytes are all that is known of it, so its end is that of the connection: both sides see it close.
class session_tunnel final : public session_stream {
public:
  session_tunnel(exchange& x, net::stream& client, net::stream& upstream) noexcept
      : session_stream(x), client_(client), upstream_(upstream) {}
  void on_session_end() noexcept override {
    client_.shutdown();
    upstream_.shutdown();
  }

private:
  net::stream& client_;
  net::stream& upstream_;
};

// Bytes one way until their source ends; then the other side is told, and the other way goes on for a while.
net::task<> carry(exchange& x, direction& d) {
  std::size_t this_turn = 0;
  bool emptied = false;  // the last attempt took everything that was there, so the next thing is to wait
  for (;;) {
    while (!d.buffer.empty()) {
      std::array parts{net::as_iovec(d.buffer.data())};
      auto const size = d.buffer.data().size();
      auto const status = co_await net::write_all(d.to, d.watch, x.view().config.server.timeouts.write_idle, parts);
      if (status != net::io_status::ok) {
        break_off(d);
        co_return;
      }
      d.buffer.consume(size);
      d.bytes += size;
      this_turn += size;
      d.whole.last_activity = x.worker.wheel.now();
    }
    if (this_turn > bytes_a_turn) {
      co_await x.worker.turns.next();
      this_turn = 0;
    }
    // No block is held while nothing comes.
    d.buffer.release();
    auto const r = emptied ? net::io_result{net::io_status::again} : d.from.try_read(d.buffer.room());
    emptied = false;
    switch (r.status) {
      case net::io_status::ok:
        emptied = d.from.tls() == nullptr && r.bytes < d.buffer.room().size();
        d.buffer.commit(r.bytes);
        break;
      case net::io_status::again: {
        d.buffer.release();
        // Woken is not heard: the other direction's clock wakes this one too, and TLS reads without a byte of the
        // tunnel.
        co_await d.from.readable(d.watch, d.watch.left(d.whole.last_activity + d.whole.silence()));
        if (x.worker.wheel.now() - d.whole.last_activity >= d.whole.silence() &&
            d.from.peek() == net::io_status::again) {
          break_off(d);
          co_return;
        }
        break;
      }
      case net::io_status::eof:
        d.to.shutdown_send();
        d.whole.half_closed = true;
        d.whole.last_activity = x.worker.wheel.now();
        d.other->from.cancel();  // it waits anew, for the shorter time
        co_return;
      case net::io_status::error: break_off(d); co_return;
    }
  }
}

}  // namespace

net::task<result<void>> run_tunnel(exchange& x, upstream_exchange& u) {
  x.status = 101;
  x.close = true;
  x.answered = true;
  auto& out = x.worker.out;
  out.clear();
  append_response_head(out, x, "Connection: Upgrade\r\nUpgrade: websocket\r\n", {});
  auto const told = co_await x.client->send_all(out);
  if (!told) co_return told;
  // Tunnels ended when the end began, and this one was on its way then.
  if (x.worker.draining) co_return result<void>{};

  // What either side has sent already belongs to the tunnel.
  net::read_buffer from_client(x.worker.buffers);
  auto const early = x.client->pending_bytes();
  if (!early.empty()) {
    while (from_client.room().size() < early.size())
      from_client.grow();
    std::ranges::copy(early, from_client.room().begin());
    from_client.commit(early.size());
    x.client->take_pending(early.size());
  }

  --x.worker.connections_active;
  ++x.worker.connections_tunnel;
  tunnel whole{x.view().config.server.timeouts.stream_idle, x.worker.wheel.now()};
  direction up{x.client->stream, u.stream(), from_client, whole, net::watch(x.worker.wheel)};
  direction down{u.stream(), x.client->stream, x.upstream_buffer, whole, net::watch(x.worker.wheel)};
  up.other = &down;
  down.other = &up;
  session_tunnel watched(x, x.client->stream, u.stream());
  watched.watch();
  net::child upwards;
  upwards.start(carry(x, up));
  co_await carry(x, down);
  co_await upwards.join();
  --x.worker.connections_tunnel;
  ++x.worker.connections_active;
  x.session_end = watched.ended();
  x.tunnel_bytes_in = up.bytes;
  x.bytes_out = down.bytes;
  co_return result<void>{};
}

}  // namespace doorward::pipeline
