#include "doorward/session/store.hpp"

namespace doorward::session {

bool lookup::await_ready() noexcept {
  return !store_.start(*this);
}

void lookup::on_reply(redis::reply const& r) noexcept {
  store_.take(*this, r);
}

void lookup::join(lookup& leader) noexcept {
  (leader.last_ != nullptr ? leader.last_ : &leader)->next_ = this;
  leader.last_ = this;
}

void lookup::on_turn() noexcept {
  if (next_ == nullptr) [[likely]]
    return waiting_.resume();
  for (auto* l = next_; l != nullptr; l = l->next_) {
    l->into_ = into_;
    l->finish(outcome_, error_, answered_by::batch);
    l->looked_like(looks_like_);
  }
  // Who is resumed may be gone right after, and this with it.
  for (auto* l = this; l != nullptr;) {
    auto* const next = l->next_;
    l->waiting_.resume();
    l = next;
  }
}

}  // namespace doorward::session
