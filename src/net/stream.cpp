#include "doorward/net/stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace doorward::net {
namespace {

// What a peer has not been sent yet stands in the kernel's memory, which grows a send buffer to megabytes for whoever
// reads slowly. What is under way to a fast and distant one is not bounded by this.
constexpr int unsent_bytes = 128 * 1024;

io_result from_errno() noexcept {
  return {errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? io_status::again : io_status::error};
}

}  // namespace

void watch::start(stream& s, milliseconds timeout) noexcept {
  fired_ = false;
  waiting_ = &s;
  auto const at = timeout == milliseconds::max() ? limit_ : std::min(limit_, wheel_->now() + timeout);
  if (at != time_point::max()) wheel_->arm(*this, at);
}

bool watch::stop() noexcept {
  waiting_ = nullptr;
  wheel_->disarm(*this);
  return fired_ || interrupted_;
}

void watch::interrupt() noexcept {
  interrupted_ = true;
  if (waiting_ != nullptr) waiting_->cancel();
}

void watch::on_deadline() noexcept {
  fired_ = true;
  if (waiting_ != nullptr) waiting_->cancel();
}

void stream::prepare(bool tcp) noexcept {
  boost::system::error_code ignored;
  socket_.native_non_blocking(true, ignored);
  if (tcp) set_tcp_options(socket_.native_handle());
}

void set_tcp_options(int fd) noexcept {
  auto const set = [fd](int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(IPPROTO_TCP, TCP_NOTSENT_LOWAT, unsent_bytes);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set(IPPROTO_TCP, TCP_KEEPCNT, 4);
}

io_result stream::try_read(std::span<char> into) noexcept {
  if (tls_) [[unlikely]]
    return tls_->read(into);
  auto const n = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
  if (n > 0) return {io_status::ok, static_cast<std::size_t>(n)};
  return n == 0 ? io_result{io_status::eof} : from_errno();
}

io_result stream::try_write(std::span<iovec const> parts) noexcept {
  if (tls_) [[unlikely]]
    return tls_->write(parts);
  // Of a single part the kernel need not be given a list.
  while (!parts.empty() && parts.front().iov_len == 0)
    parts = parts.subspan(1);
  while (!parts.empty() && parts.back().iov_len == 0)
    parts = parts.first(parts.size() - 1);
  if (parts.size() == 1) return try_write({static_cast<char const*>(parts[0].iov_base), parts[0].iov_len});
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());  // sendmsg does not change it
  message.msg_iovlen = parts.size();
  auto const n = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  return n >= 0 ? io_result{io_status::ok, static_cast<std::size_t>(n)} : from_errno();
}

io_result stream::try_write(std::string_view bytes) noexcept {
  if (tls_) [[unlikely]] {
    iovec const part = as_iovec(bytes);
    return tls_->write({&part, 1});
  }
  auto const n = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return n >= 0 ? io_result{io_status::ok, static_cast<std::size_t>(n)} : from_errno();
}

io_status stream::peek() noexcept {
  if (tls_) [[unlikely]]
    return tls_->peek();
  char byte;
  return peek_socket({&byte, 1}).status;
}

io_result stream::peek_socket(std::span<char> into) noexcept {
  auto const n = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_PEEK | MSG_DONTWAIT);
  if (n > 0) return {io_status::ok, static_cast<std::size_t>(n)};
  return n == 0 ? io_result{io_status::eof} : from_errno();
}

bool stream::hung_up() const noexcept {
  // native_handle() is not const in Asio, and poll() changes nothing about the socket.
  pollfd p{const_cast<socket&>(socket_).native_handle(), POLLRDHUP, 0};
  return ::poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLERR | POLLHUP | POLLNVAL)) != 0;
}

void stream::cancel() noexcept {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void stream::end_tls() noexcept {
  if (!tls_) return;
  if (socket_.is_open()) tls_->close_notify();
  tls_.reset();
}

void stream::shutdown() noexcept {
  if (tls_) tls_->abandon();
  ::shutdown(socket_.native_handle(), SHUT_RDWR);
  cancel();
}

void stream::shutdown_send() noexcept {
  if (tls_) tls_->close_notify();
  ::shutdown(socket_.native_handle(), SHUT_WR);
}

void stream::close() noexcept {
  end_tls();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void stream::reset() noexcept {
  if (tls_) tls_->abandon();
  linger const at_once{1, 0};
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void stream::waiter::await_suspend(std::coroutine_handle<> h) {
  handle_ = h;
  watch_.start(stream_, timeout_);
  bool const for_write = stream_.tls_ ? stream_.tls_->waits_for_write(write_) : write_;
  stream_.socket_.async_wait(for_write ? socket::wait_write : socket::wait_read, handler{this});
}

std::span<iovec> advance(std::span<iovec> parts, std::size_t bytes) noexcept {
  while (!parts.empty() && bytes >= parts.front().iov_len) {
    bytes -= parts.front().iov_len;
    parts = parts.subspan(1);
  }
  if (!parts.empty()) {
    parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + bytes;
    parts.front().iov_len -= bytes;
  }
  return parts;
}

// Whoever waits is also woken for nothing: by another's deadline on the same stream, or by TLS. That does not begin the
// time anew.
task<io_result> read_some(stream& s, watch& w, milliseconds timeout, std::span<char> into) {
  auto const until = w.after(timeout);
  for (;;) {
    auto const r = s.try_read(into);
    if (r.status != io_status::again) co_return r;
    bool const in_time = co_await s.readable(w, w.left(until));
    if (!in_time) co_return io_result{io_status::again};
  }
}

task<io_status> write_all(stream& s, watch& w, milliseconds timeout, std::span<iovec> parts) {
  auto until = w.after(timeout);
  for (;;) {
    auto const r = s.try_write(parts);
    if (r.status == io_status::error) co_return io_status::error;
    parts = advance(parts, r.bytes);
    if (parts.empty()) co_return io_status::ok;
    if (r.bytes > 0) until = w.after(timeout);
    bool const in_time = co_await s.writable(w, w.left(until));
    if (!in_time) co_return io_status::again;
  }
}

}  // namespace doorward::net
