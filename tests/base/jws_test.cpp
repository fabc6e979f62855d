#include "doorward/base/jws.hpp"

#include "catch.hpp"
#include "doorward/base/encoding.hpp"
#include "test_key.hpp"

using namespace doorward;
using doorward::test::make_key;

namespace {

std::string decoded(std::string_view text) {
  std::string out;
  REQUIRE(append_base64url_decoded(out, text));
  return out;
}

std::string const secret(32, 's');

jws_fault fault_of(std::optional<jws_key> (*read)(std::string_view, jws_fault&), std::string_view text) {
  jws_fault fault{};
  auto const key = read(text, fault);
  CHECK(key.has_value() == (fault == jws_fault::none));
  return fault;
}

}  // namespace

TEST_CASE("HS256, the example of RFC 7515 appendix A.1") {
  jws_fault fault{};
  auto const key = jws_key::hs256(
      decoded("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"), fault);
  REQUIRE(key);
  constexpr std::string_view input =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  std::string signature;
  REQUIRE(key->sign(input, signature));
  CHECK(signature == decoded("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
  CHECK(key->verifies(input, signature));
  CHECK_FALSE(key->verifies(std::string(input) + 'x', signature));
  CHECK_FALSE(key->verifies(input, signature.substr(1)));
  CHECK_FALSE(key->verifies(input, ""));
}

TEST_CASE("ES256, the example of RFC 7515 appendix A.3") {
  jws_fault fault{};
  auto const key = jws_key::es256_public(
      "-----BEGIN PUBLIC KEY-----\n"
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
      "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
      "-----END PUBLIC KEY-----\n",
      fault);
  REQUIRE(key);
  CHECK(base64url(key->public_point().x) == "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
  CHECK(base64url(key->public_point().y) == "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
  constexpr std::string_view input =
      "eyJhbGciOiJFUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  auto signature = decoded("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
  CHECK(key->verifies(input, signature));
  CHECK_FALSE(key->verifies(std::string(input) + 'x', signature));
  CHECK_FALSE(key->verifies(input, signature + 'x'));
  signature[5] ^= 1;
  CHECK_FALSE(key->verifies(input, signature));
  CHECK_FALSE(key->verifies(input, std::string(64, '\0')));  // r and s of 0: CVE-2022-21449
  std::string none;
  CHECK_FALSE(key->sign(input, none));
}

TEST_CASE("ES256, what is signed is verified by the public half alone") {
  auto const made = make_key();
  jws_fault fault{};
  auto const secret_half = jws_key::es256_private(made.private_pem, fault);
  auto const public_half = jws_key::es256_public(made.public_pem, fault);
  auto const other = jws_key::es256_public(make_key().public_pem, fault);
  REQUIRE((secret_half && public_half && other));
  CHECK(secret_half->public_point().x == public_half->public_point().x);
  std::string signature;
  for (int i = 0; i < 300; ++i) {  // some r and s begin with zeros
    auto const input = "input " + std::to_string(i);
    REQUIRE(secret_half->sign(input, signature));
    REQUIRE(signature.size() == 64);
    REQUIRE(public_half->verifies(input, signature));
  }
  CHECK_FALSE(other->verifies("input 299", signature));
}

TEST_CASE("texts that are no key, and why") {
  auto const p256 = make_key();
  auto const p384 = make_key("P-384");
  auto const rsa = make_key("RSA");
  CHECK(fault_of(jws_key::es256_private, p256.private_pem) == jws_fault::none);
  CHECK(fault_of(jws_key::es256_private, "a remark\n" + p256.private_pem) == jws_fault::none);
  CHECK(fault_of(jws_key::es256_private, "") == jws_fault::no_key);
  CHECK(fault_of(jws_key::es256_private, "hello") == jws_fault::no_key);
  CHECK(fault_of(jws_key::es256_private, p256.public_pem) == jws_fault::no_key);
  CHECK(fault_of(jws_key::es256_private, p384.private_pem) == jws_fault::other_kind);
  CHECK(fault_of(jws_key::es256_private, rsa.private_pem) == jws_fault::other_kind);
  CHECK(fault_of(jws_key::es256_public, p256.public_pem) == jws_fault::none);
  CHECK(fault_of(jws_key::es256_public, p256.private_pem) == jws_fault::no_key);
  CHECK(fault_of(jws_key::es256_public, p384.public_pem) == jws_fault::other_kind);
  CHECK(fault_of(jws_key::es256_public, rsa.public_pem) == jws_fault::other_kind);
  CHECK(fault_of(jws_key::hs256, secret) == jws_fault::none);
  CHECK(fault_of(jws_key::hs256, secret.substr(1)) == jws_fault::too_short);
  CHECK(fault_of(jws_key::hs256, secret.substr(1) + '\n') == jws_fault::too_short);
  CHECK(fault_of(jws_key::hs256, p256.public_pem) == jws_fault::pem);
}

TEST_CASE("the line end of a text is no part of the secret, that of other bytes is") {
  struct row {
    std::string a, b;
    bool same;
  };
  auto const [a, b, same] = GENERATE(values<row>({{secret, secret + "\n", true},
                                                  {secret, secret + "\r\n", true},
                                                  {secret + "\n", secret + "\n\n", false},
                                                  {'\x01' + secret, '\x01' + secret + "\n", false}}));
  jws_fault fault{};
  std::string first;
  std::string second;
  REQUIRE(jws_key::hs256(a, fault)->sign("x", first));
  REQUIRE(jws_key::hs256(b, fault)->sign("x", second));
  CHECK((first == second) == same);
}

TEST_CASE("base64url, one spelling of each text") {
  struct row {
    std::string text;
    std::optional<std::string> meaning;
  };
  auto const [text, meaning] = GENERATE(values<row>({{"", ""},
                                                     {"Zg", "f"},
                                                     {"Zm8", "fo"},
                                                     {"Zm9v", "foo"},
                                                     {"-_8", "\xfb\xff"},
                                                     {"Zh", std::nullopt},  // bits that stand for nothing
                                                     {"Zm9", std::nullopt},
                                                     {"Z", std::nullopt},
                                                     {"Zm9vZ", std::nullopt},
                                                     {"Zg==", std::nullopt},
                                                     {"+/8", std::nullopt},
                                                     {"Zm 9v", std::nullopt}}));
  CAPTURE(text);
  std::string out = "before";
  CHECK(append_base64url_decoded(out, text) == meaning.has_value());
  CHECK(out == "before" + meaning.value_or(""));
}
