#include "doorward/base/hmac.hpp"

#include <string>

#include "catch.hpp"
#include "doorward/base/encoding.hpp"

using doorward::hmac_sha256;

namespace {

std::string hex(hmac_sha256::value const& v) {
  std::string out;
  doorward::append_hex(out, v);
  return out;
}

}  // namespace

TEST_CASE("HMAC-SHA-256, as in RFC 4231 section 4") {
  struct row {
    std::string key, text, digest;
  };
  auto const r = GENERATE(values<row>({
      {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
  }));
  hmac_sha256 const hmac(r.key);
  CHECK(hex(hmac({r.text})) == r.digest);
  // Again and again, and in parts.
  CHECK(hex(hmac({"something else"})) != r.digest);
  CHECK(hex(hmac({r.text.substr(0, 3), "", r.text.substr(3)})) == r.digest);
}

TEST_CASE("HMAC, moved: the key goes along") {
  hmac_sha256 first("Jefe");
  hmac_sha256 const second(std::move(first));
  CHECK(hex(second({"what do ya want for nothing?"})) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}
