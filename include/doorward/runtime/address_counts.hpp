#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace doorward::runtime {

/// How many connections each client has open, over all workers. Looked at when a connection comes and when it goes,
/// never by a request, so a lock will do; there are several, by address. A client is an IPv4 address, or the /64 block
/// of an IPv6 address: whoever has one has the other 2^64 too.
class address_counts {
public:
  using address = std::array<std::uint8_t, 16>;  ///< IPv4 mapped into IPv6

  /// `most` for one client; 0 = any number, and nothing is counted.
  explicit address_counts(std::size_t most) noexcept : most_(most) {}

  /// Counts one more. False, and nothing is counted, when the client has as many as it may. Any thread.
  [[nodiscard]] bool enter(address const& who);
  /// One less; once for each enter() that was true. Any thread.
  void leave(address const& who) noexcept;

private:
  using client = std::uint64_t;
  struct shard {
    std::mutex lock;
    std::unordered_map<client, std::size_t> open;
  };

  [[nodiscard]] static client client_of(address const& who) noexcept;
  [[nodiscard]] shard& shard_of(client c) noexcept { return shards_[c % shards_.size()]; }

  std::size_t most_;
  std::array<shard, 31> shards_;  // a prime, so that neighbours spread
};

}  // namespace doorward::runtime
