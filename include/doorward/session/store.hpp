#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "doorward/base/result.hpp"
#include "doorward/config/model.hpp"
#include "doorward/net/task.hpp"
#include "doorward/redis/client.hpp"
#include "doorward/session/record.hpp"

namespace doorward::session {

class store;

/// One find under way: an awaiter without a coroutine of its own, so that a lookup allocates nothing. Lives in the
/// frame of whoever awaits it. For a store: fill it in by `finish`, at once or, after `turns.push(*this)`, later.
class [[nodiscard]] lookup final : public redis::waiter {
public:
  lookup(store& from, std::string_view id, record& into) noexcept : store_(from), id_(id), into_(into) {}

  [[nodiscard]] bool await_ready() noexcept;
  void await_suspend(std::coroutine_handle<> h) noexcept { waiting_ = h; }
  [[nodiscard]] outcome await_resume() const noexcept { return outcome_; }

  [[nodiscard]] std::string_view id() const noexcept { return id_; }
  [[nodiscard]] record& into() noexcept { return into_; }
  /// Why the outcome is `unavailable`; {} otherwise.
  [[nodiscard]] error_code why() const noexcept { return error_; }

  void finish(outcome o, error_code why = {}) noexcept {
    outcome_ = o;
    error_ = why;
  }

private:
  void on_reply(redis::reply const& r) noexcept override;
  void on_turn() noexcept override;

  store& store_;
  std::string_view id_;
  record& into_;
  outcome outcome_ = outcome::unavailable;
  std::coroutine_handle<> waiting_;
};

/// A session to be written. Views must hold until create() is done.
struct new_session {
  std::string_view id;                                          ///< fresh, of new_session_id()
  std::span<std::pair<std::string, std::string> const> fields;  ///< the grant's; one of them names the user
  std::string_view replaces;            ///< the session that came with the login, deleted with it; empty = none
  bool remember = false;                ///< the long lifetimes
  std::optional<config::seconds> idle;  ///< instead of the configured one
  std::optional<config::seconds> absolute;
  bool revoke_others = false;  ///< ends the user's other sessions in the same step; no grant can ask for it yet
};

/// Where sessions live. One a worker. Every operation either has happened, or says why it cannot be known: an outage is
/// never "absent".
class store {
public:
  virtual ~store() = default;

  /// `outcome o = co_await s.find(id, record)`: one command, no allocation. `id` must be well-formed already, and hold
  /// until the await ends. An errc of why it is unavailable is lost in this form; keep the lookup as a local to ask it:
  /// `auto l = s.find(id, r); auto o = co_await l;`
  [[nodiscard]] lookup find(std::string_view id, record& into) noexcept { return lookup{*this, id, into}; }

  /// Slides the idle time and notes when the session was last seen; never waited for, never brings a session back that
  /// has ended.
  virtual void touch(std::string_view id) noexcept = 0;

  /// Writes record and index in one atomic step; how many sessions it replaced, 1 or 0. bad_grant when it names no
  /// user, names it twice, or is larger than a lookup may be; store_error when the id is taken, when the index is no
  /// set, or when Redis says no; store_unavailable, store_timeout and store_protocol as everywhere.
  [[nodiscard]] virtual net::task<result<std::uint64_t>> create(new_session s) = 0;

  /// Ends one session; how many there were, 1 or 0. Doing it twice is fine.
  [[nodiscard]] virtual net::task<result<std::uint64_t>> end(std::string id) = 0;

  /// Ends this session and all others of its user; how many there were.
  [[nodiscard]] virtual net::task<result<std::uint64_t>> end_all(std::string id) = 0;

private:
  friend class lookup;
  /// Starts `l`. False when it is finished already and nobody need wait.
  virtual bool start(lookup& l) noexcept = 0;
};

}  // namespace doorward::session
