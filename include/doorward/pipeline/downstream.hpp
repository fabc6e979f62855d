#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "doorward/base/result.hpp"
#include "doorward/http/body.hpp"
#include "doorward/net/buffer.hpp"
#include "doorward/net/stream.hpp"
#include "doorward/runtime/worker.hpp"

namespace doorward::pipeline {

/// Who is at the other end of a client's connection.
struct peer {
  std::array<std::uint8_t, 16> address{};  ///< IPv4 mapped into IPv6; all zeros for a Unix socket
  std::string text;                        ///< "192.0.2.1", "2001:db8::1", "unix"
  bool is_unix = false;
  bool trusted = false;  ///< in trusted_proxies
  bool counted = false;  ///< against limits.connections_per_address
  bool tls = false;
  bool redirect_to_https = false;   ///< of its listener
  std::string certificate_subject;  ///< RFC 4514; empty = it has shown no certificate
};

/// The client's side of one exchange: the rest of its request body comes in here, and the answer goes out. Lives in
/// the connection's frame; the buffer starts with the head of the request that is being served.
class downstream {
public:
  downstream(runtime::worker& worker, net::stream& s, net::read_buffer& buffer, net::watch& w, peer const& p)
      : stream(s), watch(w), from(p), worker_(worker), buffer_(buffer), overflow_(worker.buffers) {}

  net::stream& stream;
  net::watch& watch;  ///< of the coroutine that sends the answer
  peer const& from;

  // --- The request body

  /// Called once the head has been parsed and consumed from the buffer.
  void start_body(http::framing f, std::uint64_t length, bool expects_continue) noexcept;

  [[nodiscard]] bool body_finished() const noexcept { return decoder_.finished(); }
  [[nodiscard]] std::uint64_t body_bytes() const noexcept { return body_bytes_; }
  [[nodiscard]] bool expects_continue() const noexcept { return expects_continue_; }

  /// The whole body, when it is in the buffer already and framed by its length: nothing needs to be waited for. Else
  /// an empty span, and body_finished() is false.
  [[nodiscard]] std::span<char> take_buffered_body() noexcept;

  /// The next run of body bytes; empty at its end. Valid until the next call. errc::client_gone, request_timeout,
  /// bad_request (chunked coding) or body_too_large (more than `limit` in all). `w` is the clock of the caller's
  /// coroutine.
  [[nodiscard]] net::task<result<std::span<char>>> read_body(net::watch& w, std::uint64_t limit);

  /// Tells a client that waits for it to send its body (RFC 9110 section 10.1.1); nothing when it does not wait.
  /// False when the client is gone.
  [[nodiscard]] net::task<bool> send_continue();

  /// What is left of the body is sure to be little enough for discard_body().
  [[nodiscard]] bool body_rest_is_small() const noexcept;
  /// Reads what is left of the body into nowhere, when that is little and comes soon. False when the connection has to
  /// be closed instead, so that no byte of a body is ever taken for a request.
  [[nodiscard]] net::task<bool> discard_body();

  /// Bytes after this request that have been read already (a pipelined request, or the first of a tunnel).
  [[nodiscard]] std::string_view pending_bytes() const noexcept { return source().data(); }
  void take_pending(std::size_t n) noexcept { source().consume(n); }
  /// The request is over: what is left is moved to where the next one is read from. Invalidates views into the head.
  void end_request();

  // --- The answer

  /// Head, body bytes and tail, in one write where the kernel takes them. Head and tail may stand in scratch that
  /// others use as soon as this waits; `body` must stay. errc::client_gone also when the client takes nothing for
  /// timeouts.write_idle.
  [[nodiscard]] net::task<result<void>> send_all(std::string_view head, std::span<char const> body = {},
                                                 std::string_view tail = {});

  enum class sent { all, some, failed };
  /// One direct write of head, body bytes and tail. `some`: the rest of head and tail was copied, `body` must stay, and
  /// flush() comes next.
  [[nodiscard]] sent send(std::string_view head, std::span<char const> body = {}, std::string_view tail = {});
  /// Waits until the rest is written. False when the client is gone or takes nothing for timeouts.write_idle.
  [[nodiscard]] net::task<bool> flush();

private:
  [[nodiscard]] net::read_buffer& source() const noexcept { return use_overflow_ ? overflow_ : buffer_; }
  [[nodiscard]] std::span<char> body_room();

  runtime::worker& worker_;
  net::read_buffer& buffer_;
  mutable net::read_buffer overflow_;  ///< for bodies behind a head that fills the buffer
  bool use_overflow_ = false;
  std::size_t mark_ = 0;  ///< end of the head in the buffer

  http::body_decoder decoder_;
  std::uint64_t body_bytes_ = 0;
  bool expects_continue_ = false;

  std::string spill_head_;
  std::string spill_tail_;
  std::array<iovec, 3> rest_{};
};

}  // namespace doorward::pipeline
