#pragma once

#include <chrono>
#include <cstdint>

namespace doorward {

/// For deadlines and durations.
using steady = std::chrono::steady_clock;
using time_point = steady::time_point;
using milliseconds = std::chrono::milliseconds;

/// Milliseconds since the epoch: what session records carry.
using epoch_ms = std::int64_t;

[[nodiscard]] inline epoch_ms wall_now() noexcept {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace doorward
