// OpenSSL 3 calls these functions deprecated. What it has in their place takes memory from the heap for every digest
// (EVP_DigestInit_ex2), and the name of a session in the log is one a request. None of these can fail.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/sha.h>

#include "doorward/base/encoding.hpp"

namespace doorward {

std::array<unsigned char, 32> sha256(std::string_view text) noexcept {
  static_assert(SHA256_DIGEST_LENGTH == 32);
  std::array<unsigned char, 32> out;
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, text.data(), text.size());
  SHA256_Final(out.data(), &state);
  return out;
}

std::array<char, 8> sha256_prefix(std::string_view text) noexcept {
  constexpr char lower_hex[] = "0123456789abcdef";
  auto const bytes = sha256(text);
  std::array<char, 8> out{};
  for (std::size_t i = 0; i < 4; ++i) {
    out[2 * i] = lower_hex[bytes[i] >> 4];
    out[2 * i + 1] = lower_hex[bytes[i] & 15];
  }
  return out;
}

}  // namespace doorward
