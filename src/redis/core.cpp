#include "redis/core.hpp"

#include <algorithm>
#include <utility>

#include "doorward/base/errc.hpp"
#include "redis/resp.hpp"

namespace doorward::redis::detail {

void intrusive_ptr_add_ref(core const* p) noexcept {
  boost::sp_adl_block::intrusive_ptr_add_ref(static_cast<link_owner const*>(p));
}
void intrusive_ptr_release(core const* p) noexcept {
  boost::sp_adl_block::intrusive_ptr_release(static_cast<link_owner const*>(p));
}

// What was asked for is the matter, and not the store.
static bool speaks_of_key(std::string_view text) noexcept {
  auto const code = error_code_of(text);
  // RedisJSON has words of its own for WRONGTYPE, with "ERR" before them or without.
  return code == "WRONGTYPE" || code == "NOSCRIPT" || text.ends_with("Existing key has wrong Redis type");
}

core::core(net::turn_queue& turns, config::redis_config const& config, fast_random& random, observer* watch,
           timing const& times)
    : turns_(turns),
      config_(config),
      random_(random),
      watch_(watch),
      times_(times),
      link_(*this, turns),
      timer_(turns.context().get_executor()),
      resolver_(turns.context().get_executor()),
      reconnect_(times.first_wait, times.longest_wait, times.settled) {}

void core::start() {
  if (state_ == state::idle) attempt();
}

void core::close() noexcept {
  if (state_ == state::closed) return;
  state_ = state::closed;
  ++attempt_;
  link_.drop(error_kind::other, "closed");
  timer_.cancel();
  resolver_.cancel();
  watch_ = nullptr;
  listener_ = nullptr;
}

bool core::submit(std::span<std::string_view const> argv, waiter* who) noexcept {
  if (state_ != state::ready || pending_.size() >= most_pending) return false;
  ++stats_.commands;
  return send(argv, who, pending_command::role::user);
}

bool core::submit_trial(std::span<std::string_view const> argv, waiter* who) noexcept {
  if (state_ != state::ready || pending_.size() >= most_pending) return false;
  return send(argv, who, pending_command::role::trial);
}

bool core::submit_tracked(std::span<std::string_view const> argv, waiter* who) noexcept {
  static constexpr std::string_view consent[] = {"CLIENT", "CACHING", "YES"};
  if (state_ != state::ready || pending_.size() + 2 > most_pending) return false;
  // Should the link fail in between, whatever comes next is tracked, and nobody counts on it.
  return send(consent, nullptr, pending_command::role::consent) && submit(argv, who);
}

bool core::send(std::span<std::string_view const> argv, waiter* who, pending_command::role what) noexcept {
  format_command(resp_, argv);
  if (!link_.send(resp_)) return false;
  last_sent_ = steady::now();
  auto const deadline = last_sent_ + config_.command_timeout;
  pending_.push({deadline, who, what});
  if (state_ == state::ready && deadline < armed_for_) arm(deadline);
  return true;
}

void core::finish(waiter* who, error_code how) noexcept {
  if (who == nullptr) return;
  if (how) ++unanswered_;
  who->ended(how);
  turns_.push(*who);
}

void core::on_reply(reply const& r) noexcept {
  auto const command = pending_.pop();
  using role = pending_command::role;
  tracked_ = std::exchange(consented_, false);
  if (command.what == role::consent) {
    // Refused, it costs the copy: whoever wants that asks tracked(). The command behind it is as good as ever.
    consented_ = r.type == reply::kind::status;
    return;
  }
  bool const is_trial = command.what == role::trial;
  if (command.what != role::user && command.what != role::idle_ping && !is_trial) {
    on_handshake(command, r);
    return;
  }
  if (r.oversized) {
    count(error_kind::protocol);
    report(error_kind::protocol, "a reply beyond the limits of size was passed over");
    finish(command.who, errc::store_oversized);
    return;
  }
  if (r.type == reply::kind::error && !is_trial) {
    auto const code = error_code_of(r.text);
    if (!speaks_of_key(r.text)) {
      auto const kind = classify(r.text);
      // An error that is not known may repeat the command's arguments, and they hold session ids.
      report(kind, kind == error_kind::other ? code : r.text);
      finish(command.who, errc::store_error);
      if (must_leave(kind))
        link_.drop(kind, "left, to find a server that takes the command");  // counted when it is closed
      else
        count(kind);
      return;
    }
  }
  // The idle PING counts too: where readiness keeps requests away, nothing else would end it.
  if (trouble_ && r.type != reply::kind::error) recovered();
  if (command.who == nullptr) return;
  command.who->on_reply(r);
  finish(command.who, {});
}

bool core::must_leave(error_kind kind) const noexcept {
  if (kind == error_kind::auth) return true;
  // Behind the same name there may be a master by now; but a replica that was configured on purpose must not cost the
  // look-ups under way at every touch.
  return (kind == error_kind::readonly || kind == error_kind::moved) && steady::now() - ready_since_ >= times_.settled;
}

void core::on_no_reply(error_kind why) noexcept {
  auto const command = pending_.pop();
  finish(command.who, why == error_kind::protocol ? errc::store_protocol : errc::store_unavailable);
}

void core::take_what_is_here() noexcept {
  // The thread itself may have been held up; a reply that waits in the socket is in time then.
  for (auto before = pending_.size() + 1; state_ == state::ready && !pending_.empty() && pending_.size() < before;) {
    before = pending_.size();
    link_.read_now();
  }
}

void core::expire(time_point now) noexcept {
  if (auto const* const first = pending_.oldest_in_time(); first != nullptr && first->deadline <= now)
    take_what_is_here();
  for (auto* late = pending_.oldest_in_time(); late != nullptr && late->deadline <= now;
       late = pending_.oldest_in_time()) {
    pending_.mark_overdue();
    if (late->what == pending_command::role::consent) continue;  // the one behind it tells
    count(error_kind::timeout);
    // Its place in the line stays, so that a late reply finds it and nobody else.
    finish(std::exchange(late->who, nullptr), errc::store_timeout);
    report(error_kind::timeout, "no answer in time");
  }
  if (!pending_.empty() && pending_.front().deadline + config_.command_timeout <= now)
    link_.drop(error_kind::timeout, "no answer for twice the time limit");
}

struct core::timer_handler {
  boost::intrusive_ptr<core> self;
  using allocator_type = net::detail::operation_allocator<std::byte>;
  allocator_type get_allocator() const noexcept { return allocator_type{&self->timer_memory_}; }
  void operator()(error_code ec) const {
    if (!ec) self->on_timer();
  }
};

void core::arm(time_point at) noexcept {
  armed_for_ = at;
  if (at == time_point::max()) return;
  timer_.expires_at(at);
  timer_.async_wait(timer_handler{this});
}

void core::on_timer() noexcept {
  auto const now = steady::now();
  armed_for_ = time_point::max();
  switch (state_) {
    case state::idle:
    case state::closed: return;
    case state::waiting:
      if (now >= retry_at_) attempt();
      break;
    case state::resolving:
      if (now >= attempt_ends_) {
        resolver_.cancel();
        attempt_failed(error_kind::timeout, "the host name did not resolve in time");
      }
      break;
    case state::connecting:
    case state::handshake:
      if (now >= attempt_ends_) {
        addresses_.clear();
        link_.drop(error_kind::timeout, "no connection in time");
      }
      break;
    case state::ready:
      expire(now);
      if (state_ == state::ready && pending_.empty() && now - last_sent_ >= times_.ping_after) {
        static constexpr std::string_view ping[] = {"PING"};
        (void)send(ping, nullptr, pending_command::role::idle_ping);
      }
      break;
  }
  if (auto const due = next_due(now); due < armed_for_) arm(due);
}

time_point core::next_due(time_point now) noexcept {
  switch (state_) {
    case state::idle:
    case state::closed: return time_point::max();
    case state::waiting: return retry_at_;
    case state::resolving:
    case state::connecting:
    case state::handshake: return attempt_ends_;
    case state::ready: break;
  }
  if (!pending_.empty()) {
    auto const drop_at = pending_.front().deadline + config_.command_timeout;
    auto const* const next = pending_.oldest_in_time();
    return next != nullptr ? std::min(next->deadline, drop_at) : drop_at;
  }
  // While there is traffic, a look every time limit is early enough for commands to come, and none of them has to move
  // the timer; without traffic the next thing to do is the PING.
  if (now - last_sent_ < config_.command_timeout) return now + config_.command_timeout;
  return last_sent_ + times_.ping_after;
}

void core::report(error_kind kind, std::string_view detail) noexcept {
  trouble_ = kind;
  trouble_at_ = steady::now();
  auto& told_at = told_at_[static_cast<std::size_t>(kind)];
  if (watch_ == nullptr || (told_at && trouble_at_ - *told_at < times_.report_every)) return;
  told_at = trouble_at_;
  trouble_told_ = true;
  watch_->on_trouble(kind, config_.server.text, detail);
}

// Good answers come between bad ones: only when there was none of those for a while it is over.
void core::recovered() noexcept {
  if (steady::now() - trouble_at_ < times_.settled) return;
  trouble_.reset();
  if (std::exchange(trouble_told_, false) && watch_ != nullptr) watch_->on_recovered(config_.server.text);
}

}  // namespace doorward::redis::detail
