#include "doorward/runtime/login_gate.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace doorward::runtime {

struct login_gate::waiter {
  visit* who;  ///< null once it has left; only its own thread looks
  net::turn_queue& turns;
  client from;
  line::iterator place{};  ///< under the gate's lock, like the next two
  bool waits = true;       ///< in line; false once it has been called
  bool admitted = false;   ///< what it was called for; else it is sent away
};

login_gate::counts login_gate::now() {
  std::lock_guard const hold(lock_);
  return {taken_, waiting_.size()};
}

// Under the lock, like all that follows: one less in line.
void login_gate::forget(waiter& one) noexcept {
  waiting_.erase(one.place);
  one.waits = false;
  if (auto const at = waiting_of_.find(one.from); --at->second == 0) waiting_of_.erase(at);
}

// The call goes to the thread of whoever waits. What was decided here counts from this moment on: who has left by the
// time the call comes through passes the place on.
void login_gate::call(std::shared_ptr<waiter> one) {
  auto& context = one->turns.context();
  boost::asio::post(context, [one = std::move(one), this] {
    if (one->who == nullptr) return;
    (one->admitted && !closed_ ? one->who->admitted_ : one->who->dismissed_) = true;
    one->who->wake();
  });
}

// A place has become free.
void login_gate::pass_on() {
  if (waiting_.empty() || closed_) {
    --taken_;
    return;
  }
  auto next = waiting_.front();
  forget(*next);
  next->admitted = true;
  call(std::move(next));
}

// The line is full. Whether somebody has left it for `who`.
bool login_gate::displace_for(client const& who) {
  if (waiting_of_.empty()) return false;
  auto const most = std::ranges::max_element(waiting_of_, {}, [](auto const& of) { return of.second; });
  auto const mine = waiting_of_.find(who);
  if (most->second < (mine == waiting_of_.end() ? 0 : mine->second) + 2) return false;
  auto const last =
      std::find_if(waiting_.rbegin(), waiting_.rend(), [&](auto const& one) { return one->from == most->first; });
  auto one = *last;
  forget(*one);
  call(std::move(one));
  return true;
}

void login_gate::dismiss(net::turn_queue const& turns) {
  std::lock_guard const hold(lock_);
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    auto const one = *at++;
    if (&one->turns != &turns) continue;
    forget(*one);
    one->who->dismissed_ = true;
    one->who->wake();
  }
}

bool login_gate::visit::enter() {
  std::lock_guard const hold(gate_.lock_);
  if (gate_.closed_) return false;
  if (gate_.taken_ < gate_.places_) {
    ++gate_.taken_;
    admitted_ = true;
    return true;
  }
  if (gate_.most_waiting_ == 0) return false;
  if (gate_.waiting_.size() >= gate_.most_waiting_ && !gate_.displace_for(who_)) return false;
  auto one = std::make_shared<waiter>(waiter{this, turns_, who_});
  ++gate_.waiting_of_[who_];
  one->place = gate_.waiting_.insert(gate_.waiting_.end(), one);
  in_line_ = std::move(one);
  return true;
}

void login_gate::visit::leave() noexcept {
  if (!admitted_ && !in_line_) return;
  std::lock_guard const hold(gate_.lock_);
  if (in_line_ && in_line_->waits)
    gate_.forget(*in_line_);
  else if (admitted_ || in_line_->admitted)
    gate_.pass_on();  // the place it has, or was just given
  if (in_line_) in_line_->who = nullptr;
  in_line_.reset();
  admitted_ = false;
}

// Whoever has been woken is not woken again before it has gone on.
void login_gate::visit::wake() noexcept {
  if (suspended_ && !turn_node::is_linked()) turns_.push(*this);
}

void login_gate::visit::on_turn() noexcept {
  std::exchange(suspended_, {}).resume();
}

}  // namespace doorward::runtime
