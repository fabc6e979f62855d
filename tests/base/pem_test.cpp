#include "doorward/base/pem.hpp"

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

TEST_CASE("private key, encrypted: nobody is asked for its password") {
  CHECK(read_private_key("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                         "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBBq\n"
                         "-----END ENCRYPTED PRIVATE KEY-----\n") == nullptr);
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
