#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "doorward/session/store.hpp"

namespace doorward::session {

/// What a store with a near-cache does around each look-up: answers it by a copy, lets it join one that is about to
/// leave, or sees to it that what Redis says is kept.
///
/// Redis remembers each key that is asked for with consent, also one that is not there, and until it changes. So an id
/// is asked for without consent until it has been found: whoever makes ids up adds nothing to Redis's memory, and a
/// session has a copy from its second look-up on.
class near_lookups {
public:
  /// The cache's other owners are whoever keeps it in step with Redis, and what ends sessions while the store goes.
  explicit near_lookups(std::shared_ptr<near_cache> cache);

  /// True when `l` is finished: there is a copy.
  [[nodiscard]] bool answer(lookup& l, std::string_view key);

  /// True when it waits for another one of the same id, which has not left. `batch`: redis::client::batch(). One that
  /// has left may have been read before a change that this one's client knows of.
  [[nodiscard]] bool join(lookup& l, std::uint64_t batch) noexcept;

  /// True when a copy is to be kept of what Redis says, so that it has to track the key.
  [[nodiscard]] bool keeps(std::string_view key) const noexcept;

  /// `l` has been handed to the client just now. `keeps`: so that Redis tracks the key.
  void asked(lookup& l, std::string_view key, std::uint64_t batch, bool keeps) noexcept;

  /// Redis has said what `o` is. To be called when that is `found`, or `l` has a fill; `tracked`: as the client says;
  /// `ends`: see near_cache::land.
  void landed(lookup& l, std::string_view key, outcome o, bool tracked, std::optional<epoch_ms> ends) noexcept;

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

  // What was found lately: marks of hashes, one a place, four places or more for each copy there may be. Two that share
  // a place push each other out, which costs a look-up without a copy; more often so beyond the limit, 16 MiB.
  static constexpr std::size_t fewest_found = 1024;
  static constexpr std::size_t most_found = std::size_t{1} << 22U;
  [[nodiscard]] std::uint32_t& found_at(std::uint64_t hash) noexcept { return found_[hash & (found_.size() - 1)]; }
  [[nodiscard]] static std::uint32_t mark_of(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash >> 32U) | 1U;
  }

  std::shared_ptr<near_cache> cache_;
  std::array<unsent, places> unsent_{};
  std::vector<std::uint32_t> found_;  ///< its size is a power of two; 0: nothing
};

}  // namespace doorward::session
