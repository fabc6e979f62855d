#include "doorward/base/jws.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>

#include "doorward/base/encoding.hpp"

namespace doorward {
namespace {

constexpr std::size_t half = 32;  // of an ES256 signature: r, s
constexpr std::size_t shortest_secret = 32;

struct signature_deleter {
  void operator()(ECDSA_SIG* s) const noexcept { ECDSA_SIG_free(s); }
};
using signature_ptr = std::unique_ptr<ECDSA_SIG, signature_deleter>;
struct number_deleter {
  void operator()(BIGNUM* n) const noexcept { BN_free(n); }
};
using number_ptr = std::unique_ptr<BIGNUM, number_deleter>;

unsigned char const* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<unsigned char const*>(text.data());
}
unsigned char* bytes_of(std::string& text) noexcept {
  return reinterpret_cast<unsigned char*>(text.data());
}

bool is_on_p256(EVP_PKEY const* key) {
  if (EVP_PKEY_is_a(key, "EC") != 1) return false;
  std::array<char, 64> curve{};
  return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve.data(), curve.size(), nullptr) == 1 &&
         std::string_view(curve.data()) == "prime256v1";
}

// The form in which OpenSSL makes and takes signatures is ASN.1 (RFC 3279 section 2.2.3); JWS has the two numbers
// alone.
bool from_asn1(std::string_view der, std::string& out) {
  auto const* at = bytes_of(der);
  signature_ptr const s(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  out.assign(2 * half, '\0');
  return s && BN_bn2binpad(ECDSA_SIG_get0_r(s.get()), bytes_of(out), half) == static_cast<int>(half) &&
         BN_bn2binpad(ECDSA_SIG_get0_s(s.get()), bytes_of(out) + half, half) == static_cast<int>(half);
}

bool to_asn1(std::string_view raw, std::string& out) {
  signature_ptr const s(ECDSA_SIG_new());
  number_ptr r(BN_bin2bn(bytes_of(raw), half, nullptr));
  number_ptr t(BN_bin2bn(bytes_of(raw) + half, half, nullptr));
  if (!s || !r || !t || ECDSA_SIG_set0(s.get(), r.get(), t.get()) != 1) return false;
  (void)r.release();  // the signature's now
  (void)t.release();
  unsigned char* made = nullptr;
  auto const n = i2d_ECDSA_SIG(s.get(), &made);
  if (n <= 0) return false;
  out.assign(reinterpret_cast<char const*>(made), static_cast<std::size_t>(n));
  OPENSSL_free(made);
  return true;
}

// A file's text has a line end that nobody sees; a secret of any bytes may happen to end in one that counts.
std::string_view without_line_end(std::string_view secret) noexcept {
  auto rest = secret;
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  if (rest.ends_with('\r')) rest.remove_suffix(1);
  bool const is_text = std::ranges::all_of(rest, [](char c) { return c >= ' ' && c <= '~'; });
  return is_text ? rest : secret;
}

int no_password(char*, int, int, void*) {
  return -1;
}

private_key_ptr read_public_key(std::string_view pem) {
  auto* const in = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  private_key_ptr key(PEM_read_bio_PUBKEY(in, nullptr, no_password, nullptr));
  BIO_free(in);
  ERR_clear_error();
  return key;
}

}  // namespace

std::string_view name(jws_algorithm a) noexcept {
  return a == jws_algorithm::es256 ? "ES256" : "HS256";
}

void jws_key::context_deleter::operator()(evp_pkey_ctx_st* c) const noexcept {
  EVP_PKEY_CTX_free(c);
}

std::optional<jws_key> jws_key::es256(private_key_ptr key, bool is_private, jws_fault& fault) {
  fault = jws_fault::no_key;
  if (!key) return std::nullopt;
  fault = jws_fault::other_kind;
  if (!is_on_p256(key.get())) return std::nullopt;

  fault = jws_fault::contradictory;
  jws_key made;
  made.context_.reset(EVP_PKEY_CTX_new(key.get(), nullptr));
  auto* const context = made.context_.get();
  bool const sound = context != nullptr && EVP_PKEY_public_check(context) == 1 &&
                     (!is_private || EVP_PKEY_pairwise_check(context) == 1) &&
                     (is_private ? EVP_PKEY_sign_init(context) : EVP_PKEY_verify_init(context)) == 1 &&
                     EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1;
  ERR_clear_error();
  if (!sound) return std::nullopt;

  fault = jws_fault::none;
  made.key_ = std::move(key);
  made.signs_ = is_private;
  return made;
}

std::optional<jws_key> jws_key::es256_private(std::string_view pem, jws_fault& fault) {
  return es256(read_private_key(pem), true, fault);
}

std::optional<jws_key> jws_key::es256_public(std::string_view pem, jws_fault& fault) {
  return es256(read_public_key(pem), false, fault);
}

std::optional<jws_key> jws_key::hs256(std::string_view secret, jws_fault& fault) {
  fault = jws_fault::pem;
  if (secret.find("-----BEGIN ") != std::string_view::npos) return std::nullopt;
  fault = jws_fault::too_short;
  secret = without_line_end(secret);
  if (secret.size() < shortest_secret) return std::nullopt;
  fault = jws_fault::none;
  jws_key made;
  made.mac_.emplace(secret);
  made.signs_ = true;
  return made;
}

bool jws_key::sign(std::string_view input, std::string& signature) const {
  signature.clear();
  if (!signs_) return false;
  if (mac_) {
    auto const value = (*mac_)({input});
    signature.assign(reinterpret_cast<char const*>(value.data()), value.size());
    return true;
  }
  auto const digest = sha256(input);
  std::string der(80, '\0');  // 72 at most
  auto n = der.size();
  bool const done = EVP_PKEY_sign(context_.get(), bytes_of(der), &n, digest.data(), digest.size()) == 1 &&
                    from_asn1({der.data(), n}, signature);
  if (done) return true;
  ERR_clear_error();
  signature.clear();
  return false;
}

bool jws_key::verifies(std::string_view input, std::string_view signature) const {
  if (mac_) {
    std::string expected;
    return sign(input, expected) && signature.size() == expected.size() &&
           CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0;
  }
  std::string der;
  if (signs_ || signature.size() != 2 * half || !to_asn1(signature, der)) return false;
  auto const digest = sha256(input);
  bool const good = EVP_PKEY_verify(context_.get(), bytes_of(der), der.size(), digest.data(), digest.size()) == 1;
  ERR_clear_error();
  return good;
}

jws_key::point jws_key::public_point() const {
  point p;
  auto const read = [&](char const* name, std::array<unsigned char, 32>& into) {
    BIGNUM* n = nullptr;
    if (EVP_PKEY_get_bn_param(key_.get(), name, &n) == 1) BN_bn2binpad(n, into.data(), half);
    BN_free(n);
  };
  read(OSSL_PKEY_PARAM_EC_PUB_X, p.x);
  read(OSSL_PKEY_PARAM_EC_PUB_Y, p.y);
  return p;
}

bool append_base64url_decoded(std::string& out, std::string_view text) {
  static constexpr auto values = [] {
    std::array<signed char, 256> table{};
    table.fill(-1);
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (std::size_t i = 0; i < alphabet.size(); ++i)
      table[static_cast<unsigned char>(alphabet[i])] = static_cast<signed char>(i);
    return table;
  }();
  auto const before = out.size();
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (auto const c : text) {
    auto const value = values[static_cast<unsigned char>(c)];
    if (value < 0) {
      out.resize(before);
      return false;
    }
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 0xff);
    }
  }
  // Six bits left over are a character that encodes nothing.
  if (count < 6 && (bits & ((1U << count) - 1)) == 0) return true;
  out.resize(before);
  return false;
}

}  // namespace doorward
