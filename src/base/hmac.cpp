#include "doorward/base/hmac.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <stdexcept>
#include <string>

namespace doorward {
namespace {

unsigned char const* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<unsigned char const*>(text.data());
}

}  // namespace

void hmac_sha256::free_context::operator()(evp_mac_ctx_st* c) const noexcept {
  EVP_MAC_CTX_free(c);
}

hmac_sha256::hmac_sha256(std::string_view key) {
  auto* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  context_.reset(EVP_MAC_CTX_new(algorithm));
  EVP_MAC_free(algorithm);  // the context holds it
  std::string digest = "SHA256";
  OSSL_PARAM const options[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
                                OSSL_PARAM_construct_end()};
  if (!context_ || EVP_MAC_init(context_.get(), bytes_of(key), key.size(), options) != 1)
    throw std::runtime_error("no HMAC-SHA-256");
}

// Without a key, EVP_MAC_init begins anew under the one it has.
hmac_sha256::value hmac_sha256::operator()(std::initializer_list<std::string_view> parts) const {
  auto* const c = context_.get();
  bool good = EVP_MAC_init(c, nullptr, 0, nullptr) == 1;
  for (auto const part : parts)
    good = good && EVP_MAC_update(c, bytes_of(part), part.size()) == 1;
  value v{};
  std::size_t size = 0;
  good = good && EVP_MAC_final(c, v.data(), &size, v.size()) == 1 && size == v.size();
  if (!good) throw std::runtime_error("HMAC-SHA-256 failed");
  return v;
}

}  // namespace doorward
