#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "doorward/net/async.hpp"
#include "doorward/net/turn_queue.hpp"
#include "doorward/redis/error_kind.hpp"
#include "redis/reply_builder.hpp"

struct redisAsyncContext;

namespace doorward::redis {

/// Who owns a link and is told what happens on it. Counted, because Asio calls handlers back after an operation has
/// been cancelled: every handler under way is a second owner. One thread, so the count is a plain integer.
class link_owner : public boost::intrusive_ref_counter<link_owner, boost::thread_unsafe_counter> {
public:
  virtual ~link_owner() = default;
  /// The socket is connected: time for the handshake.
  virtual void on_open() noexcept = 0;
  /// The reply to the oldest command.
  virtual void on_reply(reply const& r) noexcept = 0;
  /// The oldest command will get no reply, because the link is closing for `why`. Once for every command in line.
  virtual void on_no_reply(error_kind why) noexcept = 0;
  /// The link is closed, and may be opened again.
  virtual void on_closed(error_kind why, std::string_view detail) noexcept = 0;
};

/// One connection to Redis: hiredis's asynchronous context, with Asio behind its event hooks and our own functions in
/// its reader. Everything that has to do with hiredis is in link.cpp.
class link {
public:
  link(link_owner& owner, net::turn_queue& turns);
  ~link();
  link(link const&) = delete;
  link& operator=(link const&) = delete;

  /// Starts to connect. `address` is numeric: hiredis would block to resolve a name. Whether it worked is told by
  /// on_open() or on_closed(), the latter perhaps before this returns.
  void open_tcp(std::string const& address, std::uint16_t port);
  void open_unix(std::string const& path);

  /// Puts one command, in RESP, behind the others; what a turn of the loop has gathered is written in one go. False
  /// when the link is closed or closing. `resp` ends with a NUL that is not counted.
  [[nodiscard]] bool send(std::string_view resp) noexcept;

  /// Takes what has arrived, without waiting to be told that something has.
  void read_now() noexcept;

  /// Closes. Every command in line is told by on_no_reply(), then on_closed() is called: before this returns, except
  /// when it is called from within on_reply(); then as soon as that has returned.
  void drop(error_kind why, std::string_view detail) noexcept;

  [[nodiscard]] bool closed() const noexcept { return context_ == nullptr; }
  /// Times that commands began to leave.
  [[nodiscard]] std::uint64_t writes() const noexcept { return writes_; }

private:
  struct hooks;  // what hiredis calls
  friend struct hooks;

  /// Writes at the end of the ready queue, so that all commands of a turn leave together.
  struct flusher final : net::turn_node {
    explicit flusher(link& l) noexcept : owner(l) {}
    void on_turn() noexcept override;
    link& owner;
  };
  template <void (link::*Then)()>
  struct ready_handler;

  void adopt(redisAsyncContext* context);
  void wait_readable();
  void wait_writable();
  void on_readable();
  void on_writable();
  void read();
  void write();
  void settle() noexcept;
  /// Why the connection closes; the first cause counts.
  void remember(error_kind why, std::string_view detail);
  void remember_again(error_kind why, std::string_view detail);
  void remember_error();

  link_owner& owner_;
  net::turn_queue& turns_;
  boost::asio::posix::basic_stream_descriptor<net::executor> descriptor_;
  redisAsyncContext* context_ = nullptr;  // frees itself; hooks::cleanup tells
  reply_builder builder_;
  flusher flusher_{*this};
  net::detail::operation_memory read_memory_;
  net::detail::operation_memory write_memory_;
  std::uint64_t generation_ = 0;  // of the connection; a handler of an earlier one does nothing
  std::uint64_t writes_ = 0;
  bool open_ = false;  // connected, so a write may be tried without asking
  bool in_write_ = false;
  bool told_ = true;  // on_closed has been called for this connection
  bool reading_ = false;
  bool writing_ = false;
  bool why_known_ = false;
  error_kind why_ = error_kind::other;
  std::string detail_;
};

}  // namespace doorward::redis
