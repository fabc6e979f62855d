#include "doorward/auth/envelope.hpp"

#include "catch.hpp"
#include "doorward/base/encoding.hpp"
#include "test_key.hpp"

using namespace doorward;
using doorward::auth::describe;
using doorward::auth::envelope_fault;
using doorward::auth::envelope_opener;

namespace {

constexpr epoch_ms now = 1'700'000'000'000;
std::string const id = "0123456789abcdefghij";
std::string const secret(32, 's');

test::test_key const& the_key() {
  static auto const key = test::make_key();
  return key;
}
test::test_key const& another_key() {
  static auto const key = test::make_key();
  return key;
}

std::string encoded(std::string_view text) {
  return base64url({reinterpret_cast<unsigned char const*>(text.data()), text.size()});
}

std::string signed_with(jws_key const& key, std::string const& input) {
  std::string signature;
  REQUIRE(key.sign(input, signature));
  return input + '.' + encoded(signature);
}
std::string es256(std::string_view header, std::string_view claims, test::test_key const& key = the_key()) {
  jws_fault fault{};
  return signed_with(*jws_key::es256_private(key.private_pem, fault), encoded(header) + '.' + encoded(claims));
}
std::string hs256(std::string_view header, std::string_view claims, std::string const& with = secret) {
  jws_fault fault{};
  return signed_with(*jws_key::hs256(with, fault), encoded(header) + '.' + encoded(claims));
}

config::assertion_key named(std::string kid, std::string text) {
  return {std::move(kid), {"f", "f", redacted(std::move(text))}};
}

config::envelope_config with_keys() {
  config::envelope_config c;
  c.keys = {named("a", the_key().public_pem), named("b", another_key().public_pem)};
  return c;
}
config::envelope_config with_secret() {
  config::envelope_config c;
  c.algorithm = config::assertion_algorithm::hs256;
  c.keys = {named("a", secret)};
  return c;
}

constexpr char good_header[] = R"({"alg":"ES256","kid":"a"})";
constexpr char good_claims[] = R"({"sid":"0123456789abcdefghij"})";

// What became of a token: the id, or what is wrong.
std::string opened(envelope_opener& opener, std::string const& token, epoch_ms at = now) {
  std::string out = "left over";
  auto const fault = opener.open(token, at, out);
  CHECK(out.empty() == (fault != envelope_fault::none));
  return fault == envelope_fault::none ? out : std::string(describe(fault));
}
std::string opened(config::envelope_config const& c, std::string const& token, epoch_ms at = now) {
  envelope_opener opener(c);
  return opened(opener, token, at);
}

}  // namespace

TEST_CASE("without keys there are no envelopes") {
  CHECK_FALSE(envelope_opener({}).on());
}

TEST_CASE("the id is in the claim, whatever else is said") {
  CHECK(opened(with_keys(), es256(good_header, good_claims)) == id);
  CHECK(opened(with_keys(), es256(R"({"kid":"b","typ":"jwt","alg":"ES256","jku":"https://evil"})", good_claims,
                                  another_key())) == id);
  CHECK(opened(with_keys(),
               es256(good_header, R"({"userId":"1","deep":{"sid":"x","a":[[{}]]},"sid":"0123456789abcdefghij"})")) ==
        id);
  CHECK(opened(with_secret(), hs256(R"({"alg":"HS256"})", good_claims)) == id);
  auto other_claim = with_keys();
  other_claim.claim = "session";
  CHECK(opened(other_claim, es256(good_header, R"({"session":"0123456789abcdefghij"})")) == id);
}

TEST_CASE("headers that are not taken") {
  struct row {
    std::string header;
    envelope_fault fault;
  };
  using enum envelope_fault;
  auto const [header, fault] = GENERATE(values<row>({
      {R"({"alg":"none","kid":"a"})", algorithm},
      {R"({"alg":"None","kid":"a"})", algorithm},
      {R"({"alg":"es256","kid":"a"})", algorithm},
      {R"({"alg":"HS256","kid":"a"})", algorithm},
      {R"({"alg":"ES384","kid":"a"})", algorithm},
      {R"({"alg":["ES256"],"kid":"a"})", algorithm},
      {R"({"kid":"a"})", algorithm},
      {R"({"alg":"ES256","kid":"a","crit":["exp"]})", algorithm},
      {R"({"alg":"ES256","kid":"a","crit":[]})", algorithm},
      {R"({"alg":"ES256","kid":"c"})", key},
      {R"({"alg":"ES256","kid":1})", key},
      {R"({"alg":"ES256","kid":""})", key},
      {R"({"alg":"ES256"})", key},  // which of the two?
      {R"({"alg":"ES256","kid":"b"})", signature},
      {R"({"alg":"ES256","kid":"a","typ":"JWE"})", malformed},
      {R"({"alg":"ES256","kid":"a","typ":1})", malformed},
      {R"({"alg":"none","alg":"ES256","kid":"a"})", malformed},
      {R"(["ES256"])", malformed},
      {R"({"alg":"ES256","kid":"a"} x)", malformed},
      {std::string(R"({"alg":"ES256","kid":"a"})") + '\0', malformed},
      {R"({"alg":"ES256","kid":"a","x":")" + std::string(400, 'x') + R"("})", malformed},  // nobody has vouched for it
      {"", malformed},
  }));
  CAPTURE(header);
  CHECK(opened(with_keys(), es256(header, good_claims)) == describe(fault));
}

TEST_CASE("a public key is no secret, and a secret no key") {
  // The classic: HS256 with the public key's text as the secret (RFC 8725 section 2.1).
  jws_fault fault{};
  auto const pem = the_key().public_pem;
  CHECK_FALSE(jws_key::hs256(pem, fault));
  auto const forged = hs256(R"({"alg":"HS256","kid":"a"})", good_claims);
  CHECK(opened(with_keys(), forged) == describe(envelope_fault::algorithm));
  CHECK(opened(with_secret(), es256(good_header, good_claims)) == describe(envelope_fault::algorithm));
  CHECK(opened(with_secret(), hs256(R"({"alg":"HS256"})", good_claims, std::string(32, 't'))) ==
        describe(envelope_fault::signature));
}

TEST_CASE("claims that are not taken") {
  auto c = with_keys();
  c.issuer = "them";
  c.audience = "door";
  struct row {
    std::string claims;
    envelope_fault fault;
  };
  using enum envelope_fault;
  auto const [claims, fault] = GENERATE(values<row>({
      {R"("iss":"them","aud":"door","sid":"0123456789abcdefghij")", none},
      {R"("iss":"them","aud":["x","door"],"sid":"0123456789abcdefghij")", none},
      {R"("iss":"others","aud":"door","sid":"0123456789abcdefghij")", issuer},
      {R"("iss":["them"],"aud":"door","sid":"0123456789abcdefghij")", issuer},
      {R"("aud":"door","sid":"0123456789abcdefghij")", issuer},
      {R"("iss":"them","sid":"0123456789abcdefghij")", audience},
      {R"("iss":"them","aud":"doors","sid":"0123456789abcdefghij")", audience},
      {R"("iss":"them","aud":[],"sid":"0123456789abcdefghij")", audience},
      {R"("iss":"them","aud":{"door":"door"},"sid":"0123456789abcdefghij")", audience},
      {R"("iss":"them","aud":"door")", claim},
      {R"("iss":"them","aud":"door","sid":["0123456789abcdefghij"])", claim},
      {R"("iss":"them","aud":"door","sid":12345678901234567890)", claim},
      {R"("iss":"them","aud":"door","sid":"short")", claim},
      {R"("iss":"them","aud":"door","sid":"0123456789abcdef ghij")", claim},
      {R"("iss":"them","aud":"door","sid":"0123456789abcdef*")", claim},
      {R"("iss":"them","aud":"door","sid":"0123456789abcdef\r\nDEL")", claim},
      {R"("iss":"them","aud":"door","sid":"0123456789abcdef\u0000")", claim},
      {R"("iss":"them","aud":"door","sid":"0123456789abcdefghij","sid":"zzzzzzzzzzzzzzzzzzzz")", malformed},
      {R"("iss":"them","aud":"door","sid":"0123456789abcdefghij","exp":"1800000000")", malformed},
      {R"("iss":"them","aud":"door","sid":"0123456789abcdefghij","exp":-1)", malformed},
      {R"("iss":"them","aud":"door","sid":"0123456789abcdefghij","exp":1e300)", malformed},
      {R"("iss":"them","aud":"door","sid":"0123456789abcdefghij","nbf":null)", malformed},
  }));
  CAPTURE(claims);
  auto const came = opened(c, es256(good_header, "{" + claims + "}"));
  CHECK(came == (fault == none ? id : std::string(describe(fault))));
}

TEST_CASE("times are looked at, with ten seconds of leeway, and again when it is known") {
  envelope_opener opener(with_keys());
  auto const token = es256(good_header, R"({"sid":"0123456789abcdefghij","nbf":1700000000,"exp":1700000060.5})");
  struct row {
    epoch_ms at;
    std::string outcome;
  };
  for (auto const& [at, outcome] : std::vector<row>{{now - 10'001, std::string(describe(envelope_fault::not_yet))},
                                                    {now - 10'000, id},
                                                    {now, id},
                                                    {now + 70'499, id},
                                                    {now + 70'500, std::string(describe(envelope_fault::expired))},
                                                    {now + 1'000, id}}) {
    CAPTURE(at);
    CHECK(opened(opener, token, at) == outcome);
    CHECK(opened(with_keys(), token, at) == outcome);
  }
}

TEST_CASE("shapes that are no JWT") {
  auto const good = es256(good_header, good_claims);
  auto const malformed = describe(envelope_fault::malformed);
  CHECK(opened(with_keys(), id) == malformed);
  CHECK(opened(with_keys(), "") == malformed);
  CHECK(opened(with_keys(), "..") == malformed);
  CHECK(opened(with_keys(), good + ".") == malformed);
  CHECK(opened(with_keys(), "." + good) == malformed);
  CHECK(opened(with_keys(), good + "=") == malformed);
  CHECK(opened(with_keys(), good.substr(0, good.rfind('.') + 1)) == describe(envelope_fault::signature));
  CHECK(opened(with_keys(), good.substr(0, good.rfind('.'))) == malformed);
  auto const long_claims = R"({"x":")" + std::string(4096, 'x') + R"(","sid":"0123456789abcdefghij"})";
  CHECK(opened(with_keys(), es256(good_header, long_claims)) == malformed);
}

TEST_CASE("one that is known does not vouch for one that is nearly the same") {
  envelope_opener opener(with_keys());
  auto const good = es256(good_header, good_claims);
  for (int i = 0; i < 3; ++i)
    REQUIRE(opened(opener, good) == id);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    REQUIRE(opened(opener, changed) != id);
  }
  REQUIRE(opened(opener, good) == id);
}
