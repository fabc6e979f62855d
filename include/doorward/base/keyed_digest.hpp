#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "doorward/base/hmac.hpp"

namespace doorward {

/// 128 bits that stand for a text, and that nobody can compute, or guess the text from, who does not know the key:
/// HMAC-SHA-256 (RFC 2104), cut. The key is made anew for each object and never leaves it. Any thread.
class keyed_digest {
public:
  using value = std::array<std::uint8_t, 16>;

  /// Throws std::runtime_error when there is no secure random source.
  keyed_digest();
  [[nodiscard]] value operator()(std::string_view text) const noexcept;

private:
  hmac_sha256 hmac_;
};

}  // namespace doorward
