#include "doorward/runtime/login_gate.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace doorward::runtime {

struct login_gate::waiter {
  visit* who;  ///< null once it has left; only its own thread looks
  net::turn_queue& turns;
  line::iterator place{};  ///< under the gate's lock, like the next
  bool waits = true;       ///< in line; false once it has been called
};

login_gate::counts login_gate::now() {
  std::lock_guard const hold(lock_);
  return {taken_, waiting_.size()};
}

// Under the lock: a place has become free. It is the next one's from this moment; the call goes to its thread. Who has
// left by the time it comes passes the place on.
void login_gate::pass_on() {
  if (waiting_.empty()) {
    --taken_;
    return;
  }
  auto next = std::move(waiting_.front());
  waiting_.pop_front();
  next->waits = false;
  auto& context = next->turns.context();
  boost::asio::post(context, [next = std::move(next)] {
    if (next->who == nullptr) return;
    next->who->admitted_ = true;
    next->who->wake();
  });
}

void login_gate::dismiss(net::turn_queue const& turns) {
  std::lock_guard const hold(lock_);
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    auto const one = *at++;
    if (&one->turns != &turns) continue;
    waiting_.erase(one->place);
    one->waits = false;
    one->who->dismissed_ = true;
    one->who->in_line_.reset();
    one->who->wake();
  }
}

bool login_gate::visit::enter() {
  std::lock_guard const hold(gate_.lock_);
  if (gate_.taken_ < gate_.places_) {
    ++gate_.taken_;
    admitted_ = true;
    return true;
  }
  if (gate_.waiting_.size() >= gate_.most_waiting_) return false;
  in_line_ = std::make_shared<waiter>(waiter{this, turns_});
  in_line_->place = gate_.waiting_.insert(gate_.waiting_.end(), in_line_);
  return true;
}

void login_gate::visit::leave() noexcept {
  if (!admitted_ && !in_line_) return;
  std::lock_guard const hold(gate_.lock_);
  if (in_line_ && in_line_->waits)
    gate_.waiting_.erase(in_line_->place);
  else
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
