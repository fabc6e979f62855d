#include "loading.hpp"
#include "temporary_folder.hpp"
#include "test_key.hpp"

using namespace doorward::config;
using namespace doorward::test;

namespace {

// The files that the plays of this file name; `~/` stands for their folder.
struct key_files {
  temporary_folder folder;

  key_files() {
    auto const good = make_key();
    folder.write("good.pem", good.private_pem);
    folder.write("good.pub", good.public_pem);
    folder.write("other.pem", make_key().private_pem);
    folder.write("p384.pem", make_key("P-384").private_pem);
    folder.write("p384.pub", make_key("P-384").public_pem);
    folder.write("rsa.pem", make_key("RSA").private_pem);
    folder.write("secret", std::string(64, 'a') + "\n");
    folder.write("short", std::string(31, 'a') + "\n");
  }
  [[nodiscard]] std::string located(std::string text) const {
    for (auto at = text.find("~/"); at != std::string::npos; at = text.find("~/", at))
      text.replace(at, 1, folder.path().string());
    return text;
  }
};

key_files const& files() {
  static key_files const all;
  return all;
}

void check_located(std::vector<wrong> rows) {
  for (auto& r : rows) {
    r.yaml = files().located(r.yaml);
    r.text = files().located(r.text);
    check_one(r);
  }
}

constexpr char make_ec[] = "`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` makes one";
constexpr char make_secret[] = "`openssl rand -hex 32` makes one";
constexpr char nobody_to_ask[] = "a key with a password cannot be read: there is nobody to ask";
std::string const external = "identity: { upstream: id, mode: external }\n";

std::string assertion(std::string const& what) {
  return "assertion: { issuer: door, " + what + " }";
}
std::string envelope(std::string const& what) {
  return external + "session: { envelope: { " + what + " } }";
}

}  // namespace

TEST_CASE("assertions: every key arrives") {
  auto const m = loaded_model(files().located(R"(
assertion:
  header: X-Assertion
  algorithm: es256
  keys: [{ kid: "2026-11", key: ~/good.pem }, { kid: "2026-10", key: ~/other.pem }]
  lifetime: 30s
  issuer: https://door.example.com
)"));
  CHECK(m.assertion.header == "X-Assertion");
  CHECK(m.assertion.algorithm == assertion_algorithm::es256);
  REQUIRE(m.assertion.keys.size() == 2);
  CHECK(m.assertion.keys[0].kid == "2026-11");
  CHECK_FALSE(m.assertion.keys[0].key.content.empty());
  CHECK(m.assertion.lifetime == seconds{30});
  CHECK(m.assertion.issuer == "https://door.example.com");
  auto const shown = to_json(m);
  CHECK(shown.find("BEGIN") == std::string::npos);
  CHECK(shown.find("good.pem") != std::string::npos);
  auto const again = load(shown, "f", test_environment);
  INFO(described(again.problems));
  REQUIRE(again.value);
  CHECK(to_json(*again.value) == shown);
}

TEST_CASE("assertions: off unless there are keys, and issued by the origin") {
  auto const off = loaded_model("");
  CHECK(off.assertion.keys.empty());
  CHECK(off.assertion.header == "Doorward-Assertion");
  CHECK(off.assertion.lifetime == seconds{60});
  loaded_model("assertion: { header: doorward-assertion, keys: [] }");
  loaded_model(files().located(
      "server: { public_origin: https://a.example }\nassertion: { keys: [{ kid: a, key: ~/good.pem }] }"));
  auto const hs = loaded_model(files().located(assertion("algorithm: hs256, keys: [{ kid: a, key: ~/secret }]")));
  CHECK(to_json(hs).find("aaaa") == std::string::npos);
}

TEST_CASE("assertions: what cannot be") {
  check_located({
      {assertion("keys: [{ kid: a, key: @@~/none.pem }]"), "assertion.keys[0].key",
       "the file `~/none.pem` cannot be read: No such file or directory"},
      {assertion("keys: [{ kid: a, key: @@\"${SECRET}\" }]"), "assertion.keys[0].key",
       "the file `${...}` cannot be read: No such file or directory (as interpolated)"},
      {assertion("keys: [{ kid: a, key: @@~/secret }]"), "assertion.keys[0].key",
       "the file `~/secret` holds no private key in PEM form", nobody_to_ask},
      {assertion("keys: [{ kid: a, key: @@~/good.pub }]"), "assertion.keys[0].key",
       "the file `~/good.pub` holds no private key in PEM form", nobody_to_ask},
      {assertion("keys: [{ kid: a, key: ~/good.pem }, { kid: b, key: @@~/p384.pem }]"), "assertion.keys[1].key",
       "the key in `~/p384.pem` is not an EC key on P-256", make_ec},
      {assertion("keys: [{ kid: a, key: @@~/rsa.pem }]"), "assertion.keys[0].key",
       "the key in `~/rsa.pem` is not an EC key on P-256", make_ec},
      {assertion("algorithm: hs256, keys: [{ kid: a, key: @@~/short }]"), "assertion.keys[0].key",
       "the secret in `~/short` is too short: 32 bytes at least", make_secret},
      {assertion("algorithm: hs256, keys: [{ kid: a, key: @@~/good.pem }]"), "assertion.keys[0].key",
       "the file `~/good.pem` holds a key in PEM form, not a secret",
       "`algorithm: es256` is for such keys; `openssl rand -hex 32` makes a secret"},
      {assertion("keys: [{ kid: a, key: ~/good.pem }, { kid: @@a, key: ~/other.pem }]"), "assertion.keys[1].kid",
       "the same name as `keys[0]`", "whoever verifies finds the key by its name"},
      {assertion("keys: [{ kid: @@\"a b\", key: ~/good.pem }]"), "assertion.keys[0].kid",
       "a key's name has 1 to 64 letters, digits, `.`, `_`, `~` and `-`"},
      {assertion("keys: [{ kid: a, key: @@\"\" }]"), "assertion.keys[0].key", "a file is expected here"},
      {assertion("keys: [@@{ key: ~/good.pem }]"), "assertion.keys[0].kid", "this key is required"},
      {assertion("lifetime: @@61s"), "assertion.lifetime", "must be from 2s to 1m"},
      {assertion("lifetime: @@1s"), "assertion.lifetime", "must be from 2s to 1m"},
      {assertion("header: @@Doorward-Grant"), "assertion.header",
       "names that begin with `Doorward-` are doorward's own"},
      {assertion("header: @@X-User_id, keys: [{ kid: a, key: ~/good.pem }]"), "assertion.header",
       "the same header as one of `headers`"},
      {"@@assertion: { keys: [{ kid: a, key: ~/good.pem }] }", "assertion.issuer", "an assertion names who has made it",
       "give it, or `server.public_origin`"},
  });
}

TEST_CASE("envelopes: every key arrives") {
  auto const m = loaded_model(
      files().located(envelope("keys: [{ kid: a, key: ~/good.pub }], claim: session, issuer: them, audience: door")));
  auto const& e = m.session.envelope;
  REQUIRE(e.keys.size() == 1);
  CHECK(e.claim == "session");
  CHECK(e.issuer == "them");
  CHECK(e.audience == "door");
  CHECK(to_json(m).find("BEGIN") == std::string::npos);
  CHECK(loaded_model("").session.envelope.claim == "sid");
  loaded_model(files().located(envelope("algorithm: hs256, keys: [{ kid: a, key: ~/secret }]")));
}

TEST_CASE("envelopes: what cannot be") {
  check_located({
      {envelope("keys: [{ kid: a, key: @@~/good.pem }]"), "session.envelope.keys[0].key",
       "the file `~/good.pem` holds no public key in PEM form",
       "`openssl pkey -in PRIVATE -pubout` writes the public key of a private one"},
      {envelope("keys: [{ kid: a, key: @@~/p384.pub }]"), "session.envelope.keys[0].key",
       "the key in `~/p384.pub` is not an EC key on P-256", make_ec},
      {envelope("algorithm: hs256, keys: [{ kid: a, key: @@~/good.pub }]"), "session.envelope.keys[0].key",
       "the file `~/good.pub` holds a key in PEM form, not a secret",
       "`algorithm: es256` is for such keys; `openssl rand -hex 32` makes a secret"},
      {envelope("keys: [{ kid: a, key: ~/good.pub }, { kid: @@a, key: ~/good.pub }]"), "session.envelope.keys[1].kid",
       "the same name as `keys[0]`", "whoever verifies finds the key by its name"},
      {envelope("claim: @@\"\""), "session.envelope.claim", "a claim's name has 1 to 128 bytes"},
      {envelope("algorithm: @@none"), "session.envelope.algorithm", "one of `es256` or `hs256` is expected here"},
      {external + "session: { cookie: { keys: [0123456789abcdef0123456789abcdef] }, envelope: { keys: @@[{ kid: a, "
                  "key: ~/good.pub }] } }",
       "session.envelope.keys", "a cookie is either such a JWT or signed with `session.cookie.keys`"},
      {"session: { envelope: { keys: @@[{ kid: a, key: ~/good.pub }] } }", "session.envelope.keys",
       "in mode `grant` doorward sets the cookie, and it cannot sign a JWT for it",
       "set `identity.mode: external`: who signs sets the cookie"},
  });
}
