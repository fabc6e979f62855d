#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "doorward/session/store.hpp"

namespace doorward::session {

/// What a store with a near-cache does around each look-up: answers it by a copy, lets it join one that is about to
/// leave, or sees to it that what Redis says is kept.
class near_lookups {
public:
  /// The cache's other owners are whoever keeps it in step with Redis, and what ends sessions while the store goes.
  explicit near_lookups(std::shared_ptr<near_cache> cache) noexcept : cache_(std::move(cache)) {}

  /// True when `l` is finished: there is a copy.
  [[nodiscard]] bool answer(lookup& l, std::string_view key);

  /// True when it waits for another one of the same id, which has not left. `batch`: redis::client::batch(). One that
  /// has left may have been read before a change that this one's client knows of.
  [[nodiscard]] bool join(lookup& l, std::uint64_t batch) noexcept;

  /// `l` has been handed to the client just now.
  void asked(lookup& l, std::string_view key, std::uint64_t batch) noexcept;

  /// The reply is in `l`. `ends`: see near_cache::land.
  void landed(lookup& l, std::string_view key, std::optional<epoch_ms> ends) noexcept;

  [[nodiscard]] std::shared_ptr<near_cache> const& cache() const noexcept { return cache_; }

private:
  // While the client's batch is the same, the look-up has neither left nor ended, so it is still there. Two ids in one
  // place push each other out, which costs a command.
  struct unsent {
    lookup* leader = nullptr;
    std::uint64_t batch = 0;
  };
  static constexpr std::size_t places = 256;
  [[nodiscard]] unsent& place_of(std::string_view id) noexcept;

  std::shared_ptr<near_cache> cache_;
  std::array<unsent, places> unsent_{};
};

}  // namespace doorward::session
