#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "doorward/base/result.hpp"
#include "doorward/base/time.hpp"
#include "doorward/config/model.hpp"
#include "doorward/net/task.hpp"
#include "doorward/redis/client.hpp"
#include "doorward/session/likeness.hpp"
#include "doorward/session/near_cache.hpp"
#include "doorward/session/record.hpp"

namespace doorward::session {

class store;

/// Where the answer to a look-up came from.
enum class answered_by {
  redis,
  batch,  ///< Redis, asked by another look-up of the same id in the same turn
  cache,  ///< the near-cache
};

/// One find under way: an awaiter without a coroutine of its own, so that a lookup allocates nothing. Lives in the
/// frame of whoever awaits it. For a store: fill it in by `finish`, at once or, after `turns.push(*this)`, later.
class [[nodiscard]] lookup final : public redis::waiter {
public:
  lookup(store& from, std::string_view id, record& into, bool fresh = false) noexcept
      : store_(from), id_(id), into_(into), fresh_(fresh) {}

  [[nodiscard]] bool await_ready() noexcept;
  void await_suspend(std::coroutine_handle<> h) noexcept { waiting_ = h; }
  [[nodiscard]] outcome await_resume() const noexcept { return outcome_; }

  [[nodiscard]] std::string_view id() const noexcept { return id_; }
  [[nodiscard]] record& into() noexcept { return into_; }
  /// Why the outcome is `unavailable`; {} otherwise.
  [[nodiscard]] error_code why() const noexcept { return error_; }

  [[nodiscard]] answered_by from() const noexcept { return from_; }

  /// What a record that could not be read looks like, for a message; `nothing` where there is none to tell of.
  [[nodiscard]] likeness looks_like() const noexcept { return looks_like_; }
  void looked_like(likeness l) noexcept { looks_like_ = l; }

  void finish(outcome o, error_code why = {}, answered_by from = answered_by::redis) noexcept {
    outcome_ = o;
    error_ = why;
    from_ = from;
  }

  /// For a store with a near-cache. Redis itself is to be asked.
  [[nodiscard]] bool fresh() const noexcept { return fresh_; }
  /// The copy that comes of it.
  [[nodiscard]] near_cache::fill& fill() noexcept { return fill_; }
  /// This one waits for what `leader` comes to, whose record has the same layout. Neither may be destroyed before.
  void join(lookup& leader) noexcept;

private:
  void on_reply(redis::reply const& r) noexcept override;
  void on_turn() noexcept override;

  store& store_;
  std::string_view id_;
  record& into_;
  outcome outcome_ = outcome::unavailable;
  answered_by from_ = answered_by::redis;
  likeness looks_like_ = likeness::nothing;
  bool fresh_;
  near_cache::fill fill_;
  lookup* next_ = nullptr;  ///< the one that joined after this one
  lookup* last_ = nullptr;  ///< of a leader: the one that joined last
  std::coroutine_handle<> waiting_;
};

/// A session to be written. Views must hold until create() is done.
struct new_session {
  std::string_view id;                                          ///< fresh, of new_id()
  std::span<std::pair<std::string, std::string> const> fields;  ///< the grant's; one of them names the user
  std::span<std::string_view const> replaces;  ///< ids of sessions that came with the login, deleted with it
  bool remember = false;                       ///< the long lifetimes
  std::optional<config::seconds> idle;         ///< instead of the configured one
  std::optional<config::seconds> absolute;
  bool revoke_others = false;  ///< ends the user's other sessions in the same step
  milliseconds began_ago{};    ///< how long ago the login began: a log-out everywhere since then outranks it
  std::string_view address;    ///< where it comes from, and from what, for the list of sessions; may be empty
  std::string_view device;
  std::string_view agent;         ///< agent_digest() of the User-Agent; may be empty
  std::string_view device_class;  ///< http::device_class() of it; empty counts as "other"
};

/// What a login did to other sessions.
struct created {
  std::uint64_t replaced = 0;   ///< those that came with it
  std::uint64_t revoked = 0;    ///< the user's others, because it asked for that
  std::uint64_t displaced = 0;  ///< the oldest, because there may be only so many
};

/// A session as its user sees it in a list.
struct listed_session {
  std::string key;     ///< in Redis; never shown
  std::string handle;  ///< names it without giving it away: handle_of(key)
  std::optional<epoch_ms> created;
  std::optional<epoch_ms> last_seen;
  std::optional<milliseconds> left;  ///< until it ends if nobody comes; nothing for a key without an expiry
  std::string address;
  std::string device;
};

/// The name of a session for people: 22 characters of base64url, from which neither key nor id can be found.
[[nodiscard]] std::string handle_of(std::string_view key);

/// Where sessions live. One a worker. Every operation either has happened, or says why it cannot be known: an outage is
/// never "absent".
class store {
public:
  virtual ~store() = default;

  /// `outcome o = co_await s.find(id, record)`: one command, no allocation. `id` must be well-formed already, and hold
  /// until the await ends. An errc of why it is unavailable is lost in this form; keep the lookup as a local to ask it:
  /// `auto l = s.find(id, r); auto o = co_await l;`
  [[nodiscard]] lookup find(std::string_view id, record& into) noexcept { return lookup{*this, id, into}; }

  /// The same, and never from the near-cache: for whoever has heard that the session may have ended.
  [[nodiscard]] lookup find_fresh(std::string_view id, record& into) noexcept { return lookup{*this, id, into, true}; }

  /// Slides the idle time and notes when the session was last seen; never waited for, never brings a session back that
  /// has ended.
  virtual void touch(std::string_view id) noexcept = 0;

  /// Writes record and index in one atomic step. bad_grant when it names no user, names it twice, or is larger than a
  /// lookup may be; session_revoked when the user has logged out everywhere since the login began; session_limit;
  /// store_error when the id is taken, when the index is no set, or when Redis says no; store_unavailable,
  /// store_timeout and store_protocol as everywhere.
  [[nodiscard]] virtual net::task<result<created>> create(new_session s) = 0;

  /// Ends one session; how many there were, 1 or 0. Doing it twice is fine.
  [[nodiscard]] virtual net::task<result<std::uint64_t>> end(std::string id) = 0;

  /// Ends this session and all others of its user; how many there were.
  [[nodiscard]] virtual net::task<result<std::uint64_t>> end_all(std::string id) = 0;

  /// Ends all others of its user; how many there were.
  [[nodiscard]] virtual net::task<result<std::uint64_t>> end_others(std::string id) = 0;

  /// Ends all sessions of a user; how many there were.
  [[nodiscard]] virtual net::task<result<std::uint64_t>> end_user(std::string user) = 0;

  /// Ends the session of `user` at `key`, as list() gave it; 1, or 0 when it is not there or is not this user's.
  [[nodiscard]] virtual net::task<result<std::uint64_t>> revoke(std::string user, std::string key) = 0;

  /// The sessions of a user, at most most_listed, the one seen last first.
  static constexpr std::size_t most_listed = 150;
  [[nodiscard]] virtual net::task<result<std::vector<listed_session>>> list(std::string user) = 0;

private:
  friend class lookup;
  /// Starts `l`. False when it is finished already and nobody need wait.
  virtual bool start(lookup& l) noexcept = 0;
  /// Takes the reply to `l`, which start() asked for; see `lookup::finish`.
  virtual void take(lookup& l, redis::reply const& r) noexcept = 0;
};

}  // namespace doorward::session
