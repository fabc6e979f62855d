// Latencies in nanoseconds, kept in 64 buckets for each power of two: no quantile is off by more than 1.6 %.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

class histogram {
public:
  void add(std::uint64_t ns) {
    ++buckets_[index(ns)];
    ++count_;
    if (ns > most_) most_ = ns;
  }

  // The upper end of the bucket that holds the quantile, or the largest value there is, in microseconds.
  double quantile(double q) const {
    const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > wanted) return static_cast<double>(std::min(upper(i), most_)) / 1e3;
    }
    return most();
  }

  double most() const { return static_cast<double>(most_) / 1e3; }

private:
  static constexpr unsigned bits = 6;

  static std::size_t index(std::uint64_t ns) {
    if (ns < (1U << bits)) return ns;
    const auto shift = static_cast<unsigned>(std::bit_width(ns)) - bits - 1;
    return ((shift + 1) << bits) + ((ns >> shift) & ((1U << bits) - 1));
  }

  static std::uint64_t upper(std::size_t i) {
    if (i < (1U << bits)) return i;
    const auto shift = (i >> bits) - 1;
    return (((i & ((1U << bits) - 1)) | (1U << bits)) + 1) << shift;
  }

  std::array<std::uint64_t, (64 - bits + 1) << bits> buckets_{};
  std::uint64_t count_ = 0, most_ = 0;
};
