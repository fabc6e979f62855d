#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace doorward::obs {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

/// Upper bounds of histogram buckets in nanoseconds, ascending. A bucket holds what is at most its bound; one more
/// bucket holds the rest (`+Inf`).
inline constexpr std::array<std::int64_t, 16> request_bounds{
    500'000,       1'000'000,      2'500'000,      5'000'000,     10'000'000,    25'000'000,
    50'000'000,    100'000'000,    250'000'000,    500'000'000,   1'000'000'000, 2'500'000'000,
    5'000'000'000, 10'000'000'000, 30'000'000'000, 60'000'000'000};

inline constexpr std::array<std::int64_t, 12> overhead_bounds{25'000,     50'000,     100'000,    250'000,
                                                              500'000,    1'000'000,  2'500'000,  5'000'000,
                                                              10'000'000, 25'000'000, 50'000'000, 100'000'000};

inline constexpr std::array<std::int64_t, 12> lookup_bounds{50'000,     100'000,    250'000,     500'000,
                                                            1'000'000,  2'500'000,  5'000'000,   10'000'000,
                                                            25'000'000, 50'000'000, 100'000'000, 250'000'000};

/// Durations counted by size. One writer, no atomics; copied and added up by whoever collects.
template <auto const& Bounds>
class histogram {
public:
  static constexpr auto const& bounds = Bounds;
  static constexpr std::size_t buckets = Bounds.size() + 1;

  /// Negative durations count as zero.
  void observe(nanoseconds took) noexcept {
    auto const ns = took.count() > 0 ? took.count() : 0;
    // What is counted is nearly always in one of the first buckets, so a walk from the bottom beats a binary search.
    std::size_t i = 0;
    while (i < Bounds.size() && ns > Bounds[i])
      ++i;
    ++counts_[i];
    sum_ += static_cast<std::uint64_t>(ns);
  }

  histogram& operator+=(histogram const& other) noexcept {
    for (std::size_t i = 0; i < buckets; ++i)
      counts_[i] += other.counts_[i];
    sum_ += other.sum_;
    return *this;
  }

  /// Not cumulative; the last one is `+Inf`.
  [[nodiscard]] std::array<std::uint64_t, buckets> const& counts() const noexcept { return counts_; }
  [[nodiscard]] nanoseconds sum() const noexcept { return nanoseconds(static_cast<std::int64_t>(sum_)); }
  [[nodiscard]] std::uint64_t count() const noexcept {
    std::uint64_t n = 0;
    for (auto const c : counts_)
      n += c;
    return n;
  }

private:
  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t sum_ = 0;  ///< nanoseconds
};

}  // namespace doorward::obs
