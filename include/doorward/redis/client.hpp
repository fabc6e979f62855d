#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "doorward/base/random.hpp"
#include "doorward/base/result.hpp"
#include "doorward/config/model.hpp"
#include "doorward/net/task.hpp"
#include "doorward/net/turn_queue.hpp"
#include "doorward/redis/error_kind.hpp"
#include "doorward/redis/reply.hpp"

namespace doorward::redis {

/// Told of what an operator should know: at most one `on_trouble` of a kind in ten seconds, and when trouble that was
/// told is over, one `on_connected` or `on_recovered`. `server` is as configured, without password. Secrets and session
/// ids are never in `detail`. Called from the worker's thread.
struct observer {
  virtual void on_connected(std::string_view server) noexcept = 0;
  virtual void on_recovered(std::string_view server) noexcept = 0;
  virtual void on_trouble(error_kind kind, std::string_view server, std::string_view detail) noexcept = 0;

protected:
  ~observer() = default;
};

/// Told of every change, at once and within the connection's work: nothing may be asked from there. `on_up`: commands
/// are taken. `on_down`: that connection has gone, before anybody who waited for a reply on it goes on.
struct connection_listener {
  virtual void on_up() noexcept = 0;
  virtual void on_down() noexcept = 0;

protected:
  ~connection_listener() = default;
};

/// How patient a client is. Not for users: tests are in a hurry.
struct timing {
  /// An idle connection is asked this often whether it is still there; a half-open one looks like an idle one.
  milliseconds ping_after{5'000};
  /// Waits between attempts, from the start of one to the start of the next. The longest is below a second, so that
  /// Redis is found again within a second of its return, while eight workers together make about ten connections a
  /// second in an outage.
  milliseconds first_wait{50};
  milliseconds longest_wait{900};
  /// A connection that held this long was a good one: the waits start anew. Trouble that did not show for as long is
  /// over.
  milliseconds settled{1'000};
  /// One on_trouble of a kind in this time.
  milliseconds report_every{10'000};
};

namespace detail {
class core;
void intrusive_ptr_add_ref(core const* p) noexcept;
void intrusive_ptr_release(core const* p) noexcept;
}  // namespace detail

/// Somebody who waits for one reply; lives in the frame of the coroutine that waits. `on_reply` is called inside the
/// connection's work (see sink), then `on_turn` at the end of the ready queue, when `error()` is set. Must not be
/// destroyed in between.
class waiter : public net::turn_node {
public:
  /// {} = a reply came (it may be an error reply that says something about the key: WRONGTYPE, NOSCRIPT).
  /// store_unavailable, store_timeout, store_error, store_protocol, store_oversized: there is no answer, and `on_reply`
  /// was not called.
  [[nodiscard]] error_code error() const noexcept { return error_; }

  /// For the client: the reply, and how it ended.
  virtual void on_reply(reply const& r) noexcept = 0;
  void ended(error_code how) noexcept { error_ = how; }

protected:
  waiter() = default;
  ~waiter() = default;
  error_code error_;
};

/// A Lua script under the name Redis knows it by.
class script {
public:
  /// `source` is not copied.
  explicit script(std::string_view source);
  [[nodiscard]] std::string_view source() const noexcept { return source_; }
  [[nodiscard]] std::string_view sha1() const noexcept { return sha1_; }  ///< 40 lower-case hexadecimal digits

private:
  std::string_view source_;
  std::string sha1_;
};

/// A worker's one connection to Redis, shared by all its requests: what they ask in one turn of the loop leaves in one
/// write. Keeps itself connected: while it is not, commands fail at once with store_unavailable and one prober tries
/// again (50 ms, doubling, jittered). A command without a reply in `command_timeout` fails with store_timeout, and its
/// late reply is thrown away; when it stays away for as long again, the connection is dropped. Not thread-safe.
class client {
public:
  /// `turns` and `random` must outlive the client; `watch` too, when given.
  client(net::turn_queue& turns, config::redis_config const& config, fast_random& random, observer* watch = nullptr,
         timing const& times = {});
  client(client const&) = delete;
  client& operator=(client const&) = delete;
  /// As close(). Coroutines that wait are resumed by the turn queue with store_unavailable.
  ~client();

  /// Begins to connect. Once.
  void start();

  /// Ends the connection for good; whoever waits gets store_unavailable.
  void close() noexcept;

  /// Tells `l` of connections from the next change on; nullptr for nobody. Not of the end that close() brings.
  void tell(connection_listener* l) noexcept;

  [[nodiscard]] bool connected() const noexcept;       ///< the handshake is done and commands are accepted
  [[nodiscard]] bool ever_connected() const noexcept;  ///< has been once since start
  [[nodiscard]] std::size_t pending() const noexcept;  ///< commands without a reply so far
  /// What went wrong last, if it is not over yet.
  [[nodiscard]] std::optional<error_kind> trouble() const noexcept;
  [[nodiscard]] redis::stats const& stats() const noexcept;

  /// Sends one command; its arguments are copied before this returns. False, and nothing will be called, when not
  /// connected. A reply within the time limit or not, `w.on_turn()` is called later.
  [[nodiscard]] bool submit(std::span<std::string_view const> argv, waiter& w) noexcept;

  /// The same with `CLIENT CACHING YES` right before it: on a connection that tracks by consent (OPTIN), what this
  /// command reads is tracked. Both are sent, or nothing.
  [[nodiscard]] bool submit_tracked(std::span<std::string_view const> argv, waiter& w) noexcept;
  /// To be asked within waiter::on_reply: whether the reply is to such a command, and Redis took the consent.
  [[nodiscard]] bool tracked() const noexcept;

  /// Changes when commands begin to leave, and when one ends without a reply. As long as it is the same as it was after
  /// submit(), that command is still here and its waiter waits.
  [[nodiscard]] std::uint64_t batch() const noexcept;

  /// Sends a command whose reply nobody looks at. Does nothing when not connected.
  void fire_and_forget(std::span<std::string_view const> argv) noexcept;

  /// `error_code ec = co_await client.command(argv, sink)`: the errors are those of waiter::error().
  class [[nodiscard]] operation;
  operation command(std::span<std::string_view const> argv, sink& into) noexcept;
  /// The same for what the store need not be able to do: an error reply goes to `into` like any other, and is neither
  /// counted nor told to the observer.
  operation try_command(std::span<std::string_view const> argv, sink& into) noexcept;

  /// EVALSHA, and once by EVAL where Redis does not have the script yet. Everything that is passed must hold until the
  /// task is done.
  net::task<error_code> eval(script const& s, std::span<std::string_view const> keys,
                             std::span<std::string_view const> args, sink& into);

private:
  boost::intrusive_ptr<detail::core> core_;  // handlers under way are the other owners
};

class [[nodiscard]] client::operation final : public waiter {
public:
  operation(detail::core& c, std::span<std::string_view const> argv, sink& into, bool tried = false) noexcept
      : core_(c), argv_(argv), sink_(into), tried_(tried) {}

  [[nodiscard]] bool await_ready() noexcept;
  void await_suspend(std::coroutine_handle<> h) noexcept { waiting_ = h; }
  [[nodiscard]] error_code await_resume() const noexcept { return error_; }

private:
  void on_reply(reply const& r) noexcept override { sink_.on_reply(r); }
  void on_turn() noexcept override { waiting_.resume(); }

  detail::core& core_;
  std::span<std::string_view const> argv_;
  sink& sink_;
  bool tried_;
  std::coroutine_handle<> waiting_;
};

}  // namespace doorward::redis
