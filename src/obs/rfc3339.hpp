#pragma once

#include <array>
#include <cstring>
#include <ctime>

#include "doorward/base/time.hpp"

namespace doorward::obs {

/// "2024-05-01T12:00:00.000Z" (RFC 3339 section 5.6).
using stamp = std::array<char, 24>;

/// The second of `at`, with zeros for milliseconds. The costly part.
[[nodiscard]] inline stamp stamp_of_second(epoch_ms at) noexcept {
  auto const t = static_cast<std::time_t>(at / 1000);
  std::tm utc{};
  gmtime_r(&t, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.000Z", &utc);
  stamp s;
  std::memcpy(s.data(), text.data(), s.size());
  return s;
}

inline void set_milliseconds(stamp& s, epoch_ms at) noexcept {
  auto const ms = static_cast<unsigned>(at % 1000);
  s[20] = static_cast<char>('0' + ms / 100);
  s[21] = static_cast<char>('0' + ms / 10 % 10);
  s[22] = static_cast<char>('0' + ms % 10);
}

}  // namespace doorward::obs
