#include "server/http1_connection.hpp"

#include <algorithm>

#include "doorward/base/errc.hpp"
#include "doorward/pipeline/process.hpp"

namespace doorward::server {
namespace {

// How much and how long is read from a client after the last answer, so that what it still sends does not make the
// kernel throw the answer away (RFC 9112 section 9.6).
constexpr std::size_t linger_bytes = 256 * 1024;
constexpr milliseconds linger_time{2'000};

// A client that keeps its connection may be sending its next request at the very moment the end begins. It gets this
// long to do so, and an answer that closes; closing at once would lose the request.
constexpr milliseconds last_chance{1'000};

}  // namespace

http1_connection::http1_connection(listener& l, net::socket s, place taken, pipeline::peer from)
    : listener_(l),
      worker_(l.worker_),
      place_(std::move(taken)),
      stream_(std::move(s)),
      watch_(l.worker_.wheel),
      buffer_(l.worker_.buffers),
      from_(std::move(from)) {
  listener_.connections_.push_back(*this);
  ++worker_.connections_idle;
}

http1_connection::~http1_connection() {
  --worker_.connections_idle;
  if (from_.counted) worker_.shared.per_address.leave(from_.address);
  if (exchange_) listener_.exchanges_.release(std::move(exchange_));
}

net::task<> http1_connection::serve(listener& l, net::socket s, place taken, pipeline::peer from, bool proxied) {
  http1_connection connection(l, std::move(s), std::move(taken), std::move(from));
  bool const open = co_await connection.open(proxied);
  if (open) co_await connection.run();
}

// The end has begun: there is a last chance, and no longer.
void http1_connection::hurry() noexcept {
  watch_.limit(worker_.wheel.now() + std::min(last_chance, worker_.view.config.server.timeouts.header));
}

void http1_connection::drain() noexcept {
  if (opening_) hurry();
  if (idle_)
    stream_.cancel();
  else if (exchange_ && exchange_->status == 101)
    stream_.shutdown();
  else if (exchange_)
    exchange_->close = true;
}

net::task<> http1_connection::run() {
  for (;;) {
    bool const there = co_await await_request();
    if (!there) break;
    bool const goes_on = co_await serve_one();
    if (!goes_on) {
      if (exchange_->abort)
        stream_.reset();
      else if (unread_)
        co_await linger();
      break;
    }
  }
}

// Waits for the first byte of a request. False when the connection is over.
net::task<bool> http1_connection::await_request() {
  // Behind everything that is ready: on a busy worker the next request has come by then, and no wait is needed. A
  // client that sends its requests in one piece waits for its turn like everybody else.
  bool first = stream_.tls() != nullptr || listener_.requests_.try_first();
  bool waits = !first;
  if (first || !buffer_.empty()) co_await worker_.turns.next();
  if (!buffer_.empty()) co_return true;
  // A connection that has not asked for anything yet has no credit. What TLS reads without a byte of a request (part of
  // a record, a new key) does not buy time.
  auto const& timeouts = worker_.view.config.server.timeouts;
  auto until = worker_.wheel.now() + (served_ ? timeouts.idle : timeouts.header);
  for (;;) {
    auto const r = waits ? net::io_result{net::io_status::again} : stream_.try_read(buffer_.room());
    waits = false;
    if (first) listener_.requests_.found(r.status != net::io_status::again);
    first = false;
    if (r.status == net::io_status::ok) {
      buffer_.commit(r.bytes);
      co_return true;
    }
    if (r.status != net::io_status::again) co_return false;
    buffer_.release();
    if (exchange_) listener_.exchanges_.release(std::move(exchange_));
    idle_ = true;
    if (worker_.draining) until = std::min(until, worker_.wheel.now() + last_chance);
    bool const in_time = co_await stream_.readable(watch_, watch_.left(until));
    if (!in_time) co_return false;
  }
}

// The number of bytes of a whole head at the front of the buffer.
net::task<result<std::size_t>> http1_connection::read_head() {
  auto const& limits = worker_.view.limits;
  auto const until = worker_.wheel.now() + worker_.view.config.server.timeouts.header;
  std::size_t searched = 0;
  for (;;) {
    auto const end = http::find_head_end(buffer_.data(), searched, limits);
    if (!end) co_return end.error();
    if (*end > 0) co_return *end;

    if (buffer_.room().size() < net::read_buffer::least_room) {
      buffer_.compact();
      if (buffer_.room().size() < net::read_buffer::least_room) buffer_.grow();
    }
    // One deadline for the whole head: a byte now and then does not buy time.
    watch_.limit(until);
    auto const r = co_await net::read_some(stream_, watch_, milliseconds::max(), buffer_.room());
    watch_.limit(time_point::max());
    if (r.status == net::io_status::again) co_return errc::request_timeout;
    if (r.status != net::io_status::ok) co_return errc::client_gone;
    buffer_.commit(r.bytes);
  }
}

// True when the connection can carry another request.
net::task<bool> http1_connection::serve_one() {
  idle_ = false;
  served_ = true;
  --worker_.connections_idle;
  ++worker_.connections_active;
  if (!exchange_) exchange_ = listener_.exchanges_.acquire();
  auto& x = *exchange_;
  x.status = 0;  // drain() asks while the head is being read
  {
    pipeline::downstream client(worker_, stream_, buffer_, watch_, from_);
    auto const size = co_await read_head();
    if (size) {
      auto const bytes = buffer_.data().substr(0, *size);
      buffer_.consume(*size);
      x.begin(client, bytes);
      co_await pipeline::process(x);
    } else {
      x.begin(client, {});
      co_await pipeline::refuse_unread(x, to_errc(size.error()));
    }
    unread_ = !size || !client.body_finished() || (x.refused && about(*x.refused).close);
    client.end_request();
  }
  --worker_.connections_active;
  ++worker_.connections_idle;
  co_return !x.close;
}

net::task<> http1_connection::linger() {
  stream_.shutdown_send();
  watch_.limit(worker_.wheel.now() + linger_time);
  std::size_t left = linger_bytes;
  for (;;) {
    buffer_.rewind(0);
    auto const r = co_await net::read_some(stream_, watch_, linger_time, buffer_.room());
    if (r.status != net::io_status::ok || r.bytes >= left) co_return;
    left -= r.bytes;
  }
}

}  // namespace doorward::server
