#include "test_certificate.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace doorward::test {
namespace {

std::shared_ptr<EVP_PKEY> new_key() {
  return {EVP_EC_gen("P-256"), EVP_PKEY_free};
}

template <class Write>
std::string written(Write write) {
  std::unique_ptr<BIO, int (*)(BIO*)> const out(BIO_new(BIO_s_mem()), BIO_free);
  if (write(out.get()) != 1) throw std::runtime_error("cannot write PEM");
  char* bytes = nullptr;
  auto const size = BIO_get_mem_data(out.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string as_pem(X509* c) {
  return written([c](BIO* out) { return PEM_write_bio_X509(out, c); });
}

void add_extension(X509* c, int what, std::string const& value) {
  auto* const e = X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str());
  if (e == nullptr || X509_add_ext(c, e, -1) != 1) throw std::runtime_error("cannot make extension " + value);
  X509_EXTENSION_free(e);
}

std::shared_ptr<X509> new_certificate(certificate_wish const& wish, EVP_PKEY* key) {
  std::shared_ptr<X509> c(X509_new(), X509_free);
  X509_set_version(c.get(), X509_VERSION_3);
  unsigned char serial[8];
  RAND_bytes(serial, sizeof serial);
  serial[0] &= 0x7f;
  auto* const number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(c.get()));
  BN_free(number);
  X509_gmtime_adj(X509_getm_notBefore(c.get()), wish.begins_in);
  X509_gmtime_adj(X509_getm_notAfter(c.get()), wish.ends_in);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(c.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<unsigned char const*>(wish.common_name.c_str()), -1, -1, 0);
  X509_set_pubkey(c.get(), key);
  return c;
}

}  // namespace

test_authority::test_authority(std::string const& common_name) : key_(new_key()) {
  certificate_ = new_certificate({.common_name = common_name}, key_.get());
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  add_extension(certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(certificate_.get(), key_.get(), EVP_sha256());
  pem_ = as_pem(certificate_.get());
}

test_certificate test_authority::issue(certificate_wish const& wish) const {
  auto const key = new_key();
  auto const c = new_certificate(wish, key.get());
  X509_set_issuer_name(c.get(), X509_get_subject_name(certificate_.get()));
  std::string names;
  for (auto const& n : wish.dns_names)
    names += (names.empty() ? "DNS:" : ",DNS:") + n;
  for (auto const& a : wish.addresses)
    names += (names.empty() ? "IP:" : ",IP:") + a;
  if (!names.empty()) add_extension(c.get(), NID_subject_alt_name, names);
  X509_sign(c.get(), key_.get(), EVP_sha256());
  return {as_pem(c.get()), written([&](BIO* out) {
            return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

}  // namespace doorward::test
