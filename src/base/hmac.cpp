// As in sha256.cpp: what OpenSSL 3 has in place of these functions takes memory from the heap for every message, its
// HMAC too.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "doorward/base/hmac.hpp"

#include <openssl/sha.h>

#include <algorithm>

#include "doorward/base/encoding.hpp"

namespace doorward {

/// SHA-256 after the first block of either hash: every message begins with these.
struct hmac_sha256::begun {
  SHA256_CTX inner, outer;
};

hmac_sha256::hmac_sha256(std::string_view key) {
  std::array<unsigned char, SHA256_CBLOCK> block{};
  if (key.size() > block.size())
    std::ranges::copy(sha256(key), block.begin());
  else
    std::ranges::copy(key, block.begin());
  auto const begin = [&](unsigned char pad) {
    auto padded = block;
    for (auto& b : padded)
      b ^= pad;
    SHA256_CTX state;
    SHA256_Init(&state);
    SHA256_Update(&state, padded.data(), padded.size());
    return state;
  };
  begun_ = std::make_unique<begun const>(begun{begin(0x36), begin(0x5c)});
}

hmac_sha256::hmac_sha256(hmac_sha256&&) noexcept = default;
hmac_sha256& hmac_sha256::operator=(hmac_sha256&&) noexcept = default;
hmac_sha256::~hmac_sha256() = default;

hmac_sha256::value hmac_sha256::operator()(std::initializer_list<std::string_view> parts) const noexcept {
  value v;
  auto state = begun_->inner;
  for (auto const part : parts)
    SHA256_Update(&state, part.data(), part.size());
  SHA256_Final(v.data(), &state);
  state = begun_->outer;
  SHA256_Update(&state, v.data(), v.size());
  SHA256_Final(v.data(), &state);
  return v;
}

}  // namespace doorward
