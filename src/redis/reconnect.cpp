#include "redis/reconnect.hpp"

#include <algorithm>
#include <cstdint>

namespace doorward::redis {

milliseconds reconnect::next(fast_random& random) noexcept {
  auto const half = step_.count() / 2;
  auto const wait = half + static_cast<milliseconds::rep>(random.below(static_cast<std::uint64_t>(half) + 1));
  step_ = std::min(step_ * 2, longest_);
  return milliseconds{wait};
}

void reconnect::ended_after(milliseconds lived) noexcept {
  // A server that accepts and hangs up again must not be hammered: only a connection that held starts the count anew.
  if (lived >= settled_) step_ = first_;
}

}  // namespace doorward::redis
