#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace doorward {

/// Fills `out` from the operating system's generator. Throws std::runtime_error when there is none: nothing that asks
/// for a secret may go on without it.
void secure_random(std::span<unsigned char> out);

/// A new session id: 32 bytes of secure_random, base64url without padding (43 characters).
[[nodiscard]] std::string new_session_id();

/// xoshiro256++ seeded from secure_random: request ids and jitter, never secrets. One a worker; not thread-safe.
class fast_random {
public:
  fast_random();
  explicit fast_random(std::uint64_t seed) noexcept;  ///< repeatable, for tests
  std::uint64_t operator()() noexcept;
  /// Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound) noexcept { return (*this)() % bound; }

private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace doorward
