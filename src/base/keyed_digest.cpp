#include "doorward/base/keyed_digest.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <stdexcept>

#include "doorward/base/random.hpp"

namespace doorward {

keyed_digest::keyed_digest() : key_{} {
  secure_random(key_);
}

keyed_digest::value keyed_digest::operator()(std::string_view text) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> whole;
  auto const* const bytes = reinterpret_cast<unsigned char const*>(text.data());
  if (::HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), bytes, text.size(), whole.data(), nullptr) ==
      nullptr)
    throw std::runtime_error("HMAC failed");
  value v;
  std::copy_n(whole.begin(), v.size(), v.begin());
  return v;
}

}  // namespace doorward
