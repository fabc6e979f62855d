#include "doorward/base/pem.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "doorward/base/encoding.hpp"

namespace doorward {
namespace {

struct bio_deleter {
  void operator()(BIO* b) const noexcept { BIO_free(b); }
};
using bio_ptr = std::unique_ptr<BIO, bio_deleter>;

bio_ptr reading(std::string_view text) {
  return bio_ptr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// OpenSSL would ask on the terminal.
int no_password(char*, int, int, void*) {
  return 0;
}

}  // namespace

void certificate_deleter::operator()(x509_st* c) const noexcept {
  X509_free(c);
}

void private_key_deleter::operator()(evp_pkey_st* k) const noexcept {
  EVP_PKEY_free(k);
}

std::vector<certificate_ptr> read_certificates(std::string_view pem) {
  std::vector<certificate_ptr> all;
  auto const in = reading(pem);
  ERR_clear_error();
  while (certificate_ptr next{PEM_read_bio_X509(in.get(), nullptr, no_password, nullptr)})
    all.push_back(std::move(next));
  // "No start line" is how the end of the text looks.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) all.clear();
  ERR_clear_error();
  return all;
}

private_key_ptr read_private_key(std::string_view pem) {
  auto const in = reading(pem);
  private_key_ptr key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  return key;
}

bool belong_together(certificate_ptr const& certificate, private_key_ptr const& key) noexcept {
  bool const same = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return same;
}

std::vector<std::string> dns_names(certificate_ptr const& certificate) {
  std::vector<std::string> names;
  auto* const all =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    auto const* const name = sk_GENERAL_NAME_value(all, i);
    if (name->type != GEN_DNS) continue;
    auto const* const bytes = reinterpret_cast<char const*>(ASN1_STRING_get0_data(name->d.dNSName));
    std::string text(bytes, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    std::transform(text.begin(), text.end(), text.begin(), to_lower);
    names.push_back(std::move(text));
  }
  GENERAL_NAMES_free(all);
  return names;
}

bool is_current(certificate_ptr const& certificate) noexcept {
  return X509_cmp_current_time(X509_get0_notBefore(certificate.get())) < 0 &&
         X509_cmp_current_time(X509_get0_notAfter(certificate.get())) > 0;
}

}  // namespace doorward
