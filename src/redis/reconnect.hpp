#pragma once

#include "doorward/base/random.hpp"
#include "doorward/base/time.hpp"

namespace doorward::redis {

/// How often a prober may knock. Waits are counted from the start of one attempt to the start of the next, so an
/// attempt that hung until its own deadline is followed at once, and a connection that lived for a while is replaced at
/// once.
class reconnect {
public:
  reconnect(milliseconds first, milliseconds longest, milliseconds settled) noexcept
      : first_(first), longest_(longest), settled_(settled), step_(first) {}

  /// Doubles from call to call; between half of the step and all of it, so that workers do not knock together.
  [[nodiscard]] milliseconds next(fast_random& random) noexcept;

  /// A connection ended that had been in use for `lived`.
  void ended_after(milliseconds lived) noexcept;

private:
  milliseconds first_;
  milliseconds longest_;
  milliseconds settled_;
  milliseconds step_;
};

}  // namespace doorward::redis
