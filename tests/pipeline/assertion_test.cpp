#include <nlohmann/json.hpp>

#include "doorward/base/jws.hpp"
#include "exchange_fixture.hpp"
#include "pipeline/own.hpp"
#include "temporary_folder.hpp"
#include "test_key.hpp"

using namespace doorward;
using namespace doorward::pipeline;

namespace {

test::temporary_folder const& keys() {
  static test::temporary_folder const folder;
  static bool const written = [] {
    folder.write("key.pem", test::make_key().private_pem);
    folder.write("secret", std::string(32, 's'));
    return true;
  }();
  REQUIRE(written);
  return folder;
}

std::string with_assertion(std::string const& more = {}) {
  return "assertion: { issuer: door, keys: [{ kid: a, key: " + keys().file("key.pem") + " }]" + more +
         " }\nroutes: [{ id: open, path: /open, upstream: app, auth: none }, { id: api, path: /**, upstream: app }]\n";
}

// The values of a header in the head that goes upstream.
std::vector<std::string> sent(exchange const& x, std::string_view name) {
  std::vector<std::string> values;
  std::string_view rest = x.upstream_head;
  for (auto end = rest.find("\r\n"); end != rest.npos; end = rest.find("\r\n")) {
    auto const line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    auto const colon = line.find(": ");
    if (colon != line.npos && iequals(line.substr(0, colon), name)) values.emplace_back(line.substr(colon + 2));
  }
  return values;
}

nlohmann::json claims_of(std::string const& token) {
  auto const first = token.find('.') + 1;
  std::string text;
  REQUIRE(append_base64url_decoded(text, std::string_view(token).substr(first, token.rfind('.') - first)));
  return nlohmann::json::parse(text);
}

std::string answered(exchange_fixture& b, std::string const& request) {
  REQUIRE(outcome(b.matched(request)) == "ok");
  running<result<void>> done(forward(b.x));
  test::settle(b.worker.context);
  REQUIRE(done.ended);
  return *done.ended ? b.worker.out : outcome(*done.ended);
}

}  // namespace

TEST_CASE("assertion, for who is authenticated, and in the place of what a client says") {
  exchange_fixture b(with_assertion());
  std::vector<std::string> const fields{"Host: h", "Doorward-Assertion: forged", "doorward_assertion: forged"};
  REQUIRE(outcome(b.matched(head_of("GET /x HTTP/1.1", fields))) == "ok");
  b.log_in({{"userId", "42"}, {"role", "admin"}});
  REQUIRE(outcome(transform(b.x)) == "ok");
  auto const values = sent(b.x, "Doorward-Assertion");
  REQUIRE(values.size() == 1);
  auto const claims = claims_of(values[0]);
  CHECK(claims["sub"] == "42");
  CHECK(claims["aud"] == "api");
  CHECK(claims["iss"] == "door");
  CHECK(b.x.upstream_head.find("forged") == std::string::npos);
}

TEST_CASE("assertion, none for nobody, and the client's is gone all the same") {
  exchange_fixture b(with_assertion(", header: X-Who-It-Is"));
  for (auto const* path : {"/open", "/login", "/x"}) {
    CAPTURE(path);
    REQUIRE(outcome(b.matched(head_of(std::string("GET ") + path + " HTTP/1.1",
                                      {"Host: h", "X-Who-It-Is: forged", "X_Who_It.Is: forged"}))) == "ok");
    REQUIRE(outcome(transform(b.x)) == "ok");
    CHECK(b.x.upstream_head.find("forged") == std::string::npos);
    CHECK(sent(b.x, "X-Who-It-Is").empty());
  }
}

TEST_CASE("assertion, a user that it cannot say is refused") {
  exchange_fixture b(with_assertion());
  REQUIRE(outcome(b.matched(head_of("GET /x HTTP/1.1", {"Host: h"}))) == "ok");
  b.log_in({{"userId", "J\xfcrgen"}});
  CHECK(outcome(transform(b.x)) == "bad_identity");
}

TEST_CASE("public keys, and where there are none to publish") {
  exchange_fixture b(with_assertion());
  auto const answer = answered(b, head_of("GET /.doorward/jwks HTTP/1.1", {"Host: h"}));
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\nCache-Control: public, max-age=300\r\n"));
  CHECK(answer.find("\r\nContent-Type: application/jwk-set+json\r\n") != std::string::npos);
  CHECK(answer.find("Set-Cookie") == std::string::npos);
  auto const set = nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
  CHECK(set["keys"][0]["kid"] == "a");

  CHECK(answered(b, head_of("POST /.doorward/jwks HTTP/1.1", {"Host: h"})) == "method_not_allowed");
  exchange_fixture off;
  CHECK(answered(off, head_of("GET /.doorward/jwks HTTP/1.1", {"Host: h"})) == "no_route");
  exchange_fixture shared_secret("assertion: { issuer: door, algorithm: hs256, keys: [{ kid: a, key: " +
                                 keys().file("secret") + " }] }\nroutes: [{ path: /**, upstream: app }]\n");
  CHECK(answered(shared_secret, head_of("GET /.doorward/jwks HTTP/1.1", {"Host: h"})) == "no_route");
}
