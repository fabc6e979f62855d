#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "doorward/base/hmac.hpp"
#include "doorward/base/pem.hpp"

struct evp_pkey_ctx_st;

/// The signatures of JSON Web Signatures (RFC 7515), in the two algorithms that are used here (RFC 7518 section 3.1).
namespace doorward {

enum class jws_algorithm : std::uint8_t {
  es256,  ///< ECDSA on P-256 with SHA-256
  hs256,  ///< HMAC with SHA-256
};

/// "ES256", as `alg` has it.
[[nodiscard]] std::string_view name(jws_algorithm a) noexcept;

/// Why a text is no key.
enum class jws_fault : std::uint8_t {
  none,
  no_key,         ///< it holds none of the kind that is asked for, or one with a password
  other_kind,     ///< not an EC key, or one on another curve than P-256
  contradictory,  ///< not a point of the curve, or not the one that the private part leads to
  too_short,      ///< a secret of less than 32 bytes (RFC 7518 section 3.2)
  pem,            ///< a secret that is a key in PEM form, which others may well know
};

/// A key. Not thread-safe, not even the const functions: OpenSSL's contexts are used again, which spares a search for
/// the algorithm, and the lock of that search, with every signature.
class jws_key {
public:
  /// An EC private key on P-256, PEM.
  [[nodiscard]] static std::optional<jws_key> es256_private(std::string_view pem, jws_fault& fault);
  /// An EC public key on P-256, PEM.
  [[nodiscard]] static std::optional<jws_key> es256_public(std::string_view pem, jws_fault& fault);
  /// The bytes themselves. The line end of a text is no part of it: most who write one do not see it.
  [[nodiscard]] static std::optional<jws_key> hs256(std::string_view secret, jws_fault& fault);

  [[nodiscard]] jws_algorithm algorithm() const noexcept { return key_ ? jws_algorithm::es256 : jws_algorithm::hs256; }

  /// The signature's bytes: 64 of ES256 (RFC 7518 section 3.4), 32 of HS256. False, with `signature` empty, when
  /// OpenSSL fails (HS256 then throws std::runtime_error). A public key cannot sign.
  [[nodiscard]] bool sign(std::string_view input, std::string& signature) const;

  [[nodiscard]] bool verifies(std::string_view input, std::string_view signature) const;

  /// The public part of an ES256 key (RFC 7518 section 6.2.1).
  struct point {
    std::array<unsigned char, 32> x{};
    std::array<unsigned char, 32> y{};
  };
  [[nodiscard]] point public_point() const;

private:
  struct context_deleter {
    void operator()(evp_pkey_ctx_st* c) const noexcept;
  };
  jws_key() = default;
  static std::optional<jws_key> es256(private_key_ptr key, bool is_private, jws_fault& fault);

  private_key_ptr key_;                                        // es256
  std::unique_ptr<evp_pkey_ctx_st, context_deleter> context_;  // set up to sign, or to verify
  bool signs_ = false;
  std::optional<hmac_sha256> mac_;  // hs256
};

/// Appends what `text` encodes (RFC 4648 section 5, no padding). False, with `out` unchanged, when it is not that, or
/// not the one spelling of it: bits that stand for nothing have to be 0.
[[nodiscard]] bool append_base64url_decoded(std::string& out, std::string_view text);

}  // namespace doorward
