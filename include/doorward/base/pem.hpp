#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct x509_st;
struct evp_pkey_st;

namespace doorward {

struct certificate_deleter {
  void operator()(x509_st* c) const noexcept;
};
struct private_key_deleter {
  void operator()(evp_pkey_st* k) const noexcept;
};
/// OpenSSL's objects, so that whoever needs more of them can have it.
using certificate_ptr = std::unique_ptr<x509_st, certificate_deleter>;
using private_key_ptr = std::unique_ptr<evp_pkey_st, private_key_deleter>;

/// The certificates of a PEM text (RFC 7468 section 5), in its order. Empty when there are none, or one is broken.
[[nodiscard]] std::vector<certificate_ptr> read_certificates(std::string_view pem);

/// The private key of a PEM text (RFC 7468 section 10); null when there is none. One that is encrypted is none: there
/// is nobody to ask for its password.
[[nodiscard]] private_key_ptr read_private_key(std::string_view pem);

[[nodiscard]] bool belong_together(certificate_ptr const& certificate, private_key_ptr const& key) noexcept;

/// The DNS names a certificate is for (RFC 5280 section 4.2.1.6), in lower case; wildcards as they are.
[[nodiscard]] std::vector<std::string> dns_names(certificate_ptr const& certificate);

/// Whether it has begun and not ended yet, by the wall clock.
[[nodiscard]] bool is_current(certificate_ptr const& certificate) noexcept;

}  // namespace doorward
