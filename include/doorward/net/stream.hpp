#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "doorward/base/deadline_wheel.hpp"
#include "doorward/net/async.hpp"
#include "doorward/net/executor.hpp"
#include "doorward/net/task.hpp"
#include "doorward/net/tls_channel.hpp"

namespace doorward::net {

using socket = asio::basic_stream_socket<asio::generic::stream_protocol, executor>;

class stream;

/// The clock of one coroutine that does I/O: one deadline at a time, and an outer limit for all of them together. Lives
/// in the coroutine's frame.
class watch final : public deadline_entry {
public:
  explicit watch(deadline_wheel& wheel) noexcept : wheel_(&wheel) {}

  /// The latest time any wait under this watch may end; time_point::max() for none.
  void limit(time_point at) noexcept { limit_ = at; }
  [[nodiscard]] bool limit_passed() const noexcept { return limit_ <= wheel_->now(); }

  /// `timeout` from now; milliseconds::max() is for ever.
  [[nodiscard]] time_point after(milliseconds timeout) const noexcept {
    return timeout == milliseconds::max() ? time_point::max() : wheel_->now() + timeout;
  }
  /// The time until then, for a wait that is begun again; 0 when it has passed.
  [[nodiscard]] milliseconds left(time_point until) const noexcept {
    if (until == time_point::max()) return milliseconds::max();
    return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(until - wheel_->now()));
  }

  /// Ends the present wait, and every later one before it begins, as if their time were over: for whoever wants the
  /// coroutine to come to its end.
  void interrupt() noexcept;

  [[nodiscard]] deadline_wheel& wheel() const noexcept { return *wheel_; }

private:
  friend class stream;
  void start(stream& s, milliseconds timeout) noexcept;
  /// True when the deadline fired since start().
  bool stop() noexcept;
  void on_deadline() noexcept override;

  deadline_wheel* wheel_;
  stream* waiting_ = nullptr;
  time_point limit_ = time_point::max();
  bool fired_ = false;
  bool interrupted_ = false;
};

/// A connected stream socket, TCP or Unix, that is read and written by direct system calls and waited for through Asio.
/// No buffer, no lock, no allocation of its own. Closed when destroyed. With TLS it is the same, through a channel that
/// is another way to read, write and want.
class stream {
public:
  explicit stream(executor e) : socket_(e) {}
  explicit stream(socket s) : socket_(std::move(s)) {}
  stream(stream const&) = delete;
  stream& operator=(stream const&) = delete;
  ~stream() { end_tls(); }

  /// From now on everything goes through TLS; handshake() comes first.
  void start_tls(std::unique_ptr<tls_channel> channel) noexcept { tls_ = std::move(channel); }
  /// Null on a plain connection.
  [[nodiscard]] tls_channel* tls() const noexcept { return tls_.get(); }

  /// Non-blocking, and with set_tcp_options() where `tcp`.
  void prepare(bool tcp) noexcept;

  [[nodiscard]] io_result try_read(std::span<char> into) noexcept;
  [[nodiscard]] io_result try_write(std::span<iovec const> parts) noexcept;
  [[nodiscard]] io_result try_write(std::string_view bytes) noexcept;

  /// What is there to be read, without taking it: `ok` for data, `again` for nothing, `eof`, `error`.
  [[nodiscard]] io_status peek() noexcept;
  /// A copy of the socket's next bytes, which stay where they are: for what comes before TLS.
  [[nodiscard]] io_result peek_socket(std::span<char> into) noexcept;

  /// `co_await s.readable(w, timeout)`: false when the time is over. True means "try", not "there is data": a
  /// cancelled or closed stream says true too, and the attempt then tells.
  [[nodiscard]] auto readable(watch& w, milliseconds timeout) noexcept { return waiter(*this, w, timeout, false); }
  [[nodiscard]] auto writable(watch& w, milliseconds timeout) noexcept { return waiter(*this, w, timeout, true); }

  /// The peer has closed its side or is gone; also seen when bytes of it have not been read yet.
  [[nodiscard]] bool hung_up() const noexcept;

  /// Wakes whoever waits for this stream.
  void cancel() noexcept;
  /// Ends both directions: everything that waits or tries from now on sees the end.
  void shutdown() noexcept;
  void shutdown_send() noexcept;
  void close() noexcept;
  /// Closes in such a way that the peer sees an error instead of an end (RST).
  void reset() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }
  [[nodiscard]] socket& native() noexcept { return socket_; }

private:
  class waiter {
  public:
    waiter(stream& s, watch& w, milliseconds timeout, bool write) noexcept
        : stream_(s), watch_(w), timeout_(timeout), write_(write) {}
    waiter(waiter const&) = delete;
    waiter& operator=(waiter const&) = delete;

    bool await_ready() noexcept {
      // Nothing comes from the socket for bytes that have been decrypted already.
      at_once_ = !write_ && stream_.tls_ && stream_.tls_->has_decrypted();
      return at_once_ || watch_.interrupted_;
    }
    void await_suspend(std::coroutine_handle<> h);
    bool await_resume() noexcept {
      bool const over = watch_.stop();
      return at_once_ ? !watch_.interrupted_ : !over;
    }

  private:
    struct handler {
      waiter* self;
      using allocator_type = detail::operation_allocator<std::byte>;
      allocator_type get_allocator() const noexcept { return allocator_type{&self->memory_}; }
      void operator()(boost::system::error_code const&) const { self->handle_.resume(); }
    };

    stream& stream_;
    watch& watch_;
    milliseconds timeout_;
    bool write_;
    bool at_once_ = false;
    std::coroutine_handle<> handle_;
    detail::operation_memory memory_;
  };

  void end_tls() noexcept;

  socket socket_;
  std::unique_ptr<tls_channel> tls_;
};

/// For every TCP connection. No Nagle: messages are written whole. At most 128 KiB wait in the kernel to be sent.
/// Keep-alive: a peer that vanished without a word is noticed after two minutes, also where nothing is said for hours.
/// A listening socket hands all of it on to what it accepts.
void set_tcp_options(int fd) noexcept;

/// Reads until something came, the peer ended, or `timeout` passed without a byte (`again`).
[[nodiscard]] task<io_result> read_some(stream& s, watch& w, milliseconds timeout, std::span<char> into);

/// Writes all of `parts` (changed on the way); each stall may last `timeout`. `again` when it did.
[[nodiscard]] task<io_status> write_all(stream& s, watch& w, milliseconds timeout, std::span<iovec> parts);

/// Moves `parts` on by `bytes` that have been written; returns the parts that remain.
[[nodiscard]] std::span<iovec> advance(std::span<iovec> parts, std::size_t bytes) noexcept;

[[nodiscard]] inline iovec as_iovec(std::string_view bytes) noexcept {
  return {const_cast<char*>(bytes.data()), bytes.size()};  // iovec has no const twin
}

}  // namespace doorward::net
