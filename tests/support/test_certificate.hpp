#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace doorward::test {

/// A certificate made for a test, and its key, as PEM.
struct test_certificate {
  std::string pem;
  std::string key_pem;
};

/// What a certificate is to be like.
struct certificate_wish {
  std::string common_name{};
  std::vector<std::string> dns_names{};
  std::vector<std::string> addresses{};  ///< IP addresses it is for
  long begins_in = -3600;                ///< seconds from now
  long ends_in = 3600;
};

/// Vouches for certificates; its own is made with it. EC keys, so that it is fast.
class test_authority {
public:
  explicit test_authority(std::string const& common_name = "Test authority");

  [[nodiscard]] std::string const& pem() const noexcept { return pem_; }
  [[nodiscard]] test_certificate issue(certificate_wish const& wish) const;

private:
  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
  std::string pem_;
};

}  // namespace doorward::test
