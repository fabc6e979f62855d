#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>

#include "doorward/base/deadline_wheel.hpp"
#include "doorward/base/keyed_digest.hpp"
#include "doorward/net/turn_queue.hpp"

namespace doorward::runtime {

/// The way into the identity service, for all workers together: so many requests may be with it at once, so many more
/// wait in line, and the rest are turned away. Only logins come here, and each costs a password hash somewhere else, so
/// one lock will do. First come, first served, whichever worker they came to; but when the line is full, a client with
/// fewer in it than another takes the place of that one's last, so that nobody can fill it alone.
class login_gate {
public:
  class visit;
  using client = keyed_digest::value;

  /// `places` at the identity service, at least one; `queue` for those who wait, any number.
  login_gate(std::size_t places, std::size_t queue) noexcept : places_(places), most_waiting_(queue) {}
  login_gate(login_gate const&) = delete;
  login_gate& operator=(login_gate const&) = delete;

  struct counts {
    std::size_t in_flight = 0;
    std::size_t queued = 0;
  };
  [[nodiscard]] counts now();

  /// From now on nobody is called: for the end of the process, before the first worker ends.
  void close() noexcept { closed_ = true; }
  /// Sends away everybody who waits on `turns`, for the end of its worker. On the worker's thread.
  void dismiss(net::turn_queue const& turns);

private:
  /// One who waits. The line and its visit own it, and whoever calls it until the call has come through: the visit may
  /// have gone by then.
  struct waiter;
  using line = std::list<std::shared_ptr<waiter>>;

  void pass_on();
  [[nodiscard]] bool displace_for(client const& who);
  void call(std::shared_ptr<waiter> one);
  void forget(waiter& one) noexcept;

  std::size_t const places_;
  std::size_t const most_waiting_;
  std::mutex lock_;
  std::size_t taken_ = 0;
  line waiting_;
  std::map<client, std::size_t> waiting_of_;  ///< how many of each client's are in line
  std::atomic<bool> closed_ = false;
};

/// One request's time at the gate; lives in the frame of the coroutine that serves it and leaves by itself, with its
/// place or out of the line. On one worker's thread.
class login_gate::visit final : private net::turn_node, private deadline_entry {
public:
  /// `who` comes, for what the line may hold of one client.
  visit(login_gate& g, net::turn_queue& turns, deadline_wheel& wheel, client const& who = {}) noexcept
      : gate_(g), turns_(turns), wheel_(wheel), who_(who) {}
  visit(visit const&) = delete;
  visit& operator=(visit const&) = delete;
  ~visit() { leave(); }

  /// Takes a place, or one in the line. False when both are full, and when the gate is closed.
  [[nodiscard]] bool enter();
  /// It has its place.
  [[nodiscard]] bool admitted() const noexcept { return admitted_; }
  /// It was sent away: for the sake of another client, or because the worker is at its end.
  [[nodiscard]] bool dismissed() const noexcept { return dismissed_; }

  /// `co_await v.called(until)`: goes on when it is admitted or dismissed, at `until` at the latest. It stays in line.
  [[nodiscard]] auto called(time_point until) noexcept {
    struct awaiter {
      visit& v;
      time_point until;
      bool await_ready() const noexcept { return v.admitted_ || v.dismissed_; }
      void await_suspend(std::coroutine_handle<> h) const noexcept {
        v.suspended_ = h;
        v.wheel_.arm(v, until);
      }
      void await_resume() const noexcept { v.wheel_.disarm(v); }
    };
    return awaiter{*this, until};
  }

  /// Gives the place to the next in line, or leaves the line. Twice is fine.
  void leave() noexcept;

private:
  friend class login_gate;

  void wake() noexcept;
  void on_turn() noexcept override;
  void on_deadline() noexcept override { wake(); }

  login_gate& gate_;
  net::turn_queue& turns_;
  deadline_wheel& wheel_;
  client const who_;
  std::shared_ptr<waiter> in_line_;
  std::coroutine_handle<> suspended_;
  bool admitted_ = false;
  bool dismissed_ = false;
};

}  // namespace doorward::runtime
