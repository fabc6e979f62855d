#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>

#include "doorward/base/deadline_wheel.hpp"

namespace doorward::test {

/// Lets everything that is ready happen; how many handlers that were.
inline std::size_t settle(boost::asio::io_context& context) {
  std::size_t all = 0;
  context.restart();
  while (auto const n = context.poll()) {
    all += n;
    context.restart();
  }
  return all;
}

/// Runs the loop until `condition` holds; false when it does not within `limit`. For what the kernel, a timer or
/// another process brings about; everything else has happened after settle().
template <class Condition>
[[nodiscard]] bool run_until(boost::asio::io_context& context, Condition condition,
                             milliseconds limit = milliseconds{10'000}) {
  auto const end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    context.restart();
    context.run_one_for(std::chrono::milliseconds{2});
  }
  return true;
}

/// A wheel and the clock it goes by, which moves when the test says so.
struct mock_clock {
  time_point now{std::chrono::hours{1000}};
  deadline_wheel wheel{now};

  /// Ticks as a worker's timer does, up to `by` later, letting happen what comes of each tick.
  void pass(boost::asio::io_context& context, milliseconds by) {
    for (auto const end = now + by; now < end;) {
      now = std::min(end, now + deadline_wheel::tick);
      wheel.advance(now);
      settle(context);
    }
  }
};

}  // namespace doorward::test
