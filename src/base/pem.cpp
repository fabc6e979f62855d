#include "doorward/base/pem.hpp"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

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

// OpenSSL would ask on the terminal. An empty password would be one; this is none.
int no_password(char*, int, int, void*) {
  return -1;
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

bool is_for(certificate_ptr const& certificate, std::string const& name) {
  auto const names = dns_names(certificate);
  if (std::ranges::find(names, name) != names.end()) return true;
  return X509_check_host(certificate.get(), name.data(), name.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) ==
         1;
}

namespace {

struct ocsp_deleter {
  void operator()(OCSP_BASICRESP* r) const noexcept { OCSP_BASICRESP_free(r); }
};
using ocsp_ptr = std::unique_ptr<OCSP_BASICRESP, ocsp_deleter>;

ocsp_ptr read_ocsp(std::string_view der) {
  auto const* at = reinterpret_cast<unsigned char const*>(der.data());
  auto* const outer = d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size()));
  ocsp_ptr basic;
  if (outer != nullptr && OCSP_response_status(outer) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
    basic.reset(OCSP_response_get1_basic(outer));
  OCSP_RESPONSE_free(outer);
  ERR_clear_error();
  return basic;
}

std::optional<epoch_ms> next_update(OCSP_SINGLERESP* one) {
  ASN1_GENERALIZEDTIME* due = nullptr;
  OCSP_single_get0_status(one, nullptr, nullptr, nullptr, &due);
  std::tm parts{};
  if (due == nullptr || ASN1_TIME_to_tm(due, &parts) != 1) return std::nullopt;
  return epoch_ms{::timegm(&parts)} * 1000;
}

}  // namespace

// Whose signature it bears is for clients to see. What is caught here is a file that was mixed up, or forgotten.
ocsp_verdict judge_ocsp(std::string_view der, certificate_ptr const& certificate) {
  auto const basic = read_ocsp(der);
  if (!basic) return ocsp_verdict::malformed;
  for (int i = 0; i < OCSP_resp_count(basic.get()); ++i) {
    auto* const one = OCSP_resp_get0(basic.get(), i);
    ASN1_INTEGER* serial = nullptr;
    // The certificate's number stands in it; OpenSSL has no way to look that leaves the id const.
    OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial, const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(one)));
    if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate.get())) != 0) continue;
    auto const due = next_update(one);
    return due && *due <= wall_now() ? ocsp_verdict::outdated : ocsp_verdict::fitting;
  }
  return ocsp_verdict::foreign;
}

std::optional<epoch_ms> ocsp_next_update(std::string_view der) {
  auto const basic = read_ocsp(der);
  return basic && OCSP_resp_count(basic.get()) > 0 ? next_update(OCSP_resp_get0(basic.get(), 0)) : std::nullopt;
}

bool is_current(certificate_ptr const& certificate) noexcept {
  return X509_cmp_current_time(X509_get0_notBefore(certificate.get())) < 0 &&
         X509_cmp_current_time(X509_get0_notAfter(certificate.get())) > 0;
}

}  // namespace doorward
