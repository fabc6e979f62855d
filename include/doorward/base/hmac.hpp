#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <string_view>

struct evp_mac_ctx_st;

namespace doorward {

/// HMAC-SHA-256 (RFC 2104) under one key, which is worked in once. One thread at a time: a worker has its own.
class hmac_sha256 {
public:
  using value = std::array<unsigned char, 32>;

  /// Throws std::runtime_error when OpenSSL cannot do it. `key` is not empty.
  explicit hmac_sha256(std::string_view key);

  /// Of the parts as one text. Throws std::runtime_error rather than give a digest of something else.
  [[nodiscard]] value operator()(std::initializer_list<std::string_view> parts) const;

private:
  struct free_context {
    void operator()(evp_mac_ctx_st* c) const noexcept;
  };
  std::unique_ptr<evp_mac_ctx_st, free_context> context_;
};

}  // namespace doorward
