#include "doorward/pipeline/downstream.hpp"

#include <algorithm>

#include "doorward/base/errc.hpp"

namespace doorward::pipeline {
namespace {

// A body that nobody wants is read to its end only when it is smaller and faster than opening a new connection.
constexpr std::size_t discard_budget = 64 * 1024;
constexpr milliseconds discard_time{1'000};

}  // namespace

void downstream::start_body(http::framing f, std::uint64_t length, bool expects_continue) noexcept {
  decoder_.start(f, length);
  body_bytes_ = 0;
  mark_ = buffer_.begin_offset();
  use_overflow_ = false;
  expects_continue_ = expects_continue && !decoder_.finished() && buffer_.empty();
}

std::span<char> downstream::take_buffered_body() noexcept {
  if (decoder_.kind() != http::framing::length || decoder_.remaining() > buffer_.data().size()) return {};
  auto const step = decoder_.feed(buffer_.bytes());
  buffer_.consume(step->consumed);
  body_bytes_ += step->data.size();
  return step->data;
}

std::span<char> downstream::body_room() {
  // Whatever was in the source has been decoded, so its room behind the head can be used again.
  if (!use_overflow_) {
    buffer_.rewind(mark_);
    auto const room = buffer_.room();
    if (room.size() >= net::read_buffer::least_room) return room;
    use_overflow_ = true;
  }
  overflow_.rewind(0);
  return overflow_.room();
}

net::task<result<std::span<char>>> downstream::read_body(net::watch& w, std::uint64_t limit) {
  for (;;) {
    auto const step = decoder_.feed(source().bytes());
    if (!step) co_return step.error();
    source().consume(step->consumed);
    body_bytes_ += step->data.size();
    if (body_bytes_ > limit) co_return errc::body_too_large;
    if (!step->data.empty() || step->finished) co_return step->data;

    auto const room = body_room();
    auto const timeout = worker_.view.config.server.timeouts.body_idle;
    auto const read = co_await net::read_some(stream, w, timeout, room);
    if (read.status == net::io_status::again) co_return errc::request_timeout;
    if (read.status != net::io_status::ok) co_return errc::client_gone;
    source().commit(read.bytes);
  }
}

net::task<bool> downstream::send_continue() {
  if (!expects_continue_) co_return true;
  expects_continue_ = false;
  auto const told = co_await send_all("HTTP/1.1 100 Continue\r\n\r\n");
  co_return told.has_value();
}

bool downstream::body_rest_is_small() const noexcept {
  if (decoder_.finished()) return true;
  // Whether a client that was not told to go on sends its body all the same cannot be known (RFC 9110 section 10.1.1).
  return !expects_continue_ && decoder_.kind() == http::framing::length && decoder_.remaining() <= discard_budget;
}

net::task<bool> downstream::discard_body() {
  if (decoder_.finished()) co_return true;
  // How much is left of chunks shows when they come.
  auto const may_be_small = body_rest_is_small() || (decoder_.kind() == http::framing::chunked && !expects_continue_);
  if (!may_be_small) co_return false;
  auto const most = body_bytes_ + discard_budget;
  watch.limit(worker_.wheel.now() + discard_time);
  bool whole = false;
  for (;;) {
    auto const data = co_await read_body(watch, most);
    if (!data) break;
    if (data->empty()) {
      whole = true;
      break;
    }
  }
  watch.limit(time_point::max());
  co_return whole;
}

void downstream::end_request() {
  if (use_overflow_) {
    buffer_.rewind(0);
    auto const left = overflow_.data();
    while (buffer_.room().size() < left.size())
      buffer_.grow();
    std::ranges::copy(left, buffer_.room().begin());
    buffer_.commit(left.size());
    overflow_.release();
    use_overflow_ = false;
  } else {
    buffer_.compact();
  }
}

downstream::sent downstream::send(std::string_view head, std::span<char const> body, std::string_view tail) {
  rest_ = {net::as_iovec(head), net::as_iovec({body.data(), body.size()}), net::as_iovec(tail)};
  auto const total = head.size() + body.size() + tail.size();
  auto const r = stream.try_write(rest_);
  if (r.status == net::io_status::error) return sent::failed;
  if (r.bytes == total) return sent::all;
  // Head and tail stand in scratch that others use next.
  auto const head_sent = std::min(r.bytes, head.size());
  spill_head_.assign(head.substr(head_sent));
  auto const body_sent = std::min(r.bytes - head_sent, body.size());
  auto const body_rest = body.subspan(body_sent);
  spill_tail_.assign(tail.substr(r.bytes - head_sent - body_sent));
  rest_ = {net::as_iovec(spill_head_), net::as_iovec({body_rest.data(), body_rest.size()}), net::as_iovec(spill_tail_)};
  return sent::some;
}

net::task<result<void>> downstream::send_all(std::string_view head, std::span<char const> body, std::string_view tail) {
  auto const s = send(head, body, tail);
  if (s == sent::all) co_return result<void>{};
  if (s == sent::failed) co_return errc::client_gone;
  bool const taken = co_await flush();
  co_return taken ? result<void>{} : errc::client_gone;
}

net::task<bool> downstream::flush() {
  auto const timeout = worker_.view.config.server.timeouts.write_idle;
  auto const status = co_await net::write_all(stream, watch, timeout, rest_);
  co_return status == net::io_status::ok;
}

}  // namespace doorward::pipeline
