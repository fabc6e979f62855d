#include "test_key.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <stdexcept>

namespace doorward::test {
namespace {

std::string text_of(BIO* out) {
  char* data = nullptr;
  auto const n = BIO_get_mem_data(out, &data);
  return {data, static_cast<std::size_t>(n)};
}

}  // namespace

test_key make_key(std::string const& kind) {
  std::shared_ptr<EVP_PKEY> const key(kind == "RSA" ? EVP_RSA_gen(2048U) : EVP_EC_gen(kind.c_str()), EVP_PKEY_free);
  std::shared_ptr<BIO> const secret(BIO_new(BIO_s_mem()), BIO_free);
  std::shared_ptr<BIO> const open(BIO_new(BIO_s_mem()), BIO_free);
  if (!key || PEM_write_bio_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_PUBKEY(open.get(), key.get()) != 1)
    throw std::runtime_error("no key " + kind);
  return {text_of(secret.get()), text_of(open.get())};
}

}  // namespace doorward::test
