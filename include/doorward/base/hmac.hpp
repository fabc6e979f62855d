#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <string_view>

namespace doorward {

/// HMAC-SHA-256 (RFC 2104) under one key, which is worked in once. Any thread; takes nothing from the heap but when it
/// is made.
class hmac_sha256 {
public:
  using value = std::array<unsigned char, 32>;

  explicit hmac_sha256(std::string_view key);
  hmac_sha256(hmac_sha256&&) noexcept;
  hmac_sha256& operator=(hmac_sha256&&) noexcept;
  ~hmac_sha256();

  /// Of the parts as one text.
  [[nodiscard]] value operator()(std::initializer_list<std::string_view> parts) const noexcept;

private:
  struct begun;
  std::unique_ptr<begun const> begun_;
};

}  // namespace doorward
