#pragma once

#include "doorward/base/random.hpp"
#include "doorward/base/time.hpp"

namespace doorward::redis {

/// How often a prober may knock. Waits are counted from the start of one attempt to the start of the next, so an
/// attempt that hung until its own deadline is followed at once, and a connection that lived for a while is replaced at
/// once.
///
/// The longest wait is below a second, so that Redis is found again within one second of its return, while eight
/// workers together make about ten connections a second in an outage.
class reconnect {
public:
  static constexpr milliseconds first{50};
  static constexpr milliseconds most{900};
  /// A connection that held this long was a good one.
  static constexpr milliseconds settled{1'000};

  /// Doubles from call to call; between half of the step and all of it, so that workers do not knock together.
  [[nodiscard]] milliseconds next(fast_random& random) noexcept;

  /// A connection ended that had been in use for `lived`.
  void ended_after(milliseconds lived) noexcept;

private:
  milliseconds step_ = first;
};

}  // namespace doorward::redis
