#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/base/time.hpp"

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

/// Whether it may be shown for `name`, a host name in lower case or `*.` and one (RFC 9525 section 6.3).
[[nodiscard]] bool is_for(certificate_ptr const& certificate, std::string const& name);

/// What an OCSP response in DER (RFC 6960 section 4.2) says of a certificate.
enum class ocsp_verdict {
  fitting,
  malformed,  ///< not a response, or one that says that there is none
  foreign,    ///< of another certificate
  outdated,   ///< its next update is past
};
[[nodiscard]] ocsp_verdict judge_ocsp(std::string_view der, certificate_ptr const& certificate);
/// When the response's successor is due; nothing where it does not say so, or is none.
[[nodiscard]] std::optional<epoch_ms> ocsp_next_update(std::string_view der);

/// Whether it has begun and not ended yet, by the wall clock.
[[nodiscard]] bool is_current(certificate_ptr const& certificate) noexcept;

}  // namespace doorward
