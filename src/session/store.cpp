#include "doorward/session/store.hpp"

namespace doorward::session {

bool lookup::await_ready() noexcept {
  return !store_.start(*this);
}

void lookup::on_reply(redis::reply const& r) noexcept {
  store_.take(*this, r);
}

void lookup::on_turn() noexcept {
  waiting_.resume();
}

}  // namespace doorward::session
