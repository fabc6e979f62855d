#pragma once

#include <cstdint>
#include <string_view>

namespace doorward {

/// 64 bits that place a text in a table: SipHash-2-4 (Aumasson and Bernstein, 2012) under a key made anew for each
/// object, so that nobody who chooses texts can choose ones that collide. No secret may depend on it. Any thread; takes
/// nothing from the heap.
class text_hash {
public:
  /// Throws std::runtime_error when there is no secure random source.
  text_hash();
  text_hash(std::uint64_t k0, std::uint64_t k1) noexcept : k0_(k0), k1_(k1) {}  ///< repeatable, for tests
  [[nodiscard]] std::uint64_t operator()(std::string_view text) const noexcept;

private:
  std::uint64_t k0_ = 0;
  std::uint64_t k1_ = 0;
};

}  // namespace doorward
