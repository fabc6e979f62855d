#include "doorward/base/pem.hpp"

#include <openssl/pem.h>

#include <memory>

#include "catch.hpp"
#include "test_certificate.hpp"

using namespace doorward;
using namespace doorward::test;

TEST_CASE("certificates of a PEM text, in its order, whatever stands around them") {
  test_authority const authority;
  auto const leaf = authority.issue({.common_name = "a", .dns_names = {"A.example.com", "*.b.example.com"}});
  auto const all = read_certificates("a remark\n" + leaf.pem + "\nanother\n" + authority.pem());
  REQUIRE(all.size() == 2);
  CHECK(dns_names(all[0]) == std::vector<std::string>{"a.example.com", "*.b.example.com"});
  CHECK(dns_names(all[1]).empty());
}

TEST_CASE("certificates, none or broken") {
  auto const leaf = test_authority().issue({.common_name = "a"});
  auto broken = leaf.pem;
  broken[100] = '!';
  CHECK(read_certificates("").empty());
  CHECK(read_certificates("hello").empty());
  CHECK(read_certificates(leaf.key_pem).empty());
  CHECK(read_certificates(leaf.pem + broken).empty());
}

TEST_CASE("private key, and whose it is") {
  test_authority const authority;
  auto const one = authority.issue({.common_name = "one"});
  auto const other = authority.issue({.common_name = "other"});
  auto const certificate = std::move(read_certificates(one.pem)[0]);
  CHECK(belong_together(certificate, read_private_key(one.key_pem)));
  CHECK_FALSE(belong_together(certificate, read_private_key(other.key_pem)));
  CHECK(read_private_key(one.pem) == nullptr);
}

TEST_CASE("private key, encrypted: nobody is asked for its password, and none is tried") {
  auto const password = GENERATE(as<std::string>{}, "", "secret");
  auto const key = read_private_key(test_authority().issue({.common_name = "a"}).key_pem);
  std::unique_ptr<BIO, int (*)(BIO*)> const out(BIO_new(BIO_s_mem()), BIO_free);
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_128_cbc(), password.data(),
                                        static_cast<int>(password.size()), nullptr, nullptr) == 1);
  char* bytes = nullptr;
  auto const size = BIO_get_mem_data(out.get(), &bytes);
  std::string_view const pem(bytes, static_cast<std::size_t>(size));
  REQUIRE(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
  CHECK(read_private_key(pem) == nullptr);
}

TEST_CASE("certificate, whom it is for") {
  auto const c = test_authority().issue({.common_name = "c.test", .dns_names = {"a.test", "*.b.test"}});
  auto const certificate = std::move(read_certificates(c.pem)[0]);
  CHECK(is_for(certificate, "a.test"));
  CHECK(is_for(certificate, "x.b.test"));
  CHECK(is_for(certificate, "*.b.test"));
  CHECK_FALSE(is_for(certificate, "*.a.test"));
  CHECK_FALSE(is_for(certificate, "c.test"));
}

TEST_CASE("certificate, its time") {
  test_authority const authority;
  auto const current = [&](long begins, long ends) {
    auto const c = authority.issue({.common_name = "a", .begins_in = begins, .ends_in = ends});
    return is_current(read_certificates(c.pem)[0]);
  };
  CHECK(current(-60, 60));
  CHECK_FALSE(current(60, 120));
  CHECK_FALSE(current(-120, -60));
}
