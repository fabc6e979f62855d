#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace doorward {

/// The latest results of something that is dear to work out: a fixed number of places in sets of four, and the oldest
/// of a set makes way. What a result is for is part of `T`, and is compared as a whole: a hash only says where to look.
/// One thread.
template <class T>
class recent_results {
public:
  static constexpr std::size_t set_size = 4;

  recent_results() = default;
  /// `sets`: a power of two.
  explicit recent_results(std::size_t sets) : sets_(sets) {}

  /// The result that `fits`, or null. Only after room has been made.
  [[nodiscard]] T* find(std::size_t hash, auto const& fits) noexcept {
    for (auto& place : set_of(hash).places)
      if (fits(place)) return &place;
    return nullptr;
  }

  /// The place for a new one, with an old one in it.
  [[nodiscard]] T& place_for(std::size_t hash) noexcept {
    auto& here = set_of(hash);
    auto& place = here.places[here.oldest];
    here.oldest = (here.oldest + 1) % set_size;
    return place;
  }

private:
  struct set {
    std::array<T, set_size> places{};
    std::size_t oldest = 0;
  };
  set& set_of(std::size_t hash) noexcept { return sets_[hash & (sets_.size() - 1)]; }

  std::vector<set> sets_;
};

}  // namespace doorward
