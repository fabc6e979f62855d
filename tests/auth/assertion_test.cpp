#include "doorward/auth/assertion.hpp"

#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "doorward/base/encoding.hpp"
#include "doorward/base/errc.hpp"
#include "heap_use.hpp"
#include "test_key.hpp"

using namespace doorward;
using doorward::auth::assertion_signer;
using nlohmann::json;

namespace {

constexpr epoch_ms now = 1'700'000'000'250;

config::assertion_config config_of(std::vector<test::test_key> const& keys) {
  config::assertion_config c;
  c.issuer = "door";
  for (std::size_t i = 0; i < keys.size(); ++i)
    c.keys.push_back({"key-" + std::to_string(i), {"f", "f", redacted(keys[i].private_pem)}});
  return c;
}

struct token_parts {
  json header, claims;
  std::string input, signature;
};

token_parts take_apart(std::string const& token) {
  auto const first = token.find('.');
  auto const last = token.rfind('.');
  auto const decoded = [](std::string_view text) {
    std::string out;
    REQUIRE(append_base64url_decoded(out, text));
    return out;
  };
  return {json::parse(decoded(token.substr(0, first))), json::parse(decoded(token.substr(first + 1, last - first - 1))),
          token.substr(0, last), decoded(token.substr(last + 1))};
}

struct desk {
  test::test_key key = test::make_key();
  config::assertion_config config = config_of({key, test::make_key()});
  assertion_signer signer{config, "https://app.example.com"};
  session::field_layout layout{config::session_fields{}};
  session::record session{layout};

  desk() { be("42", "admin, user"); }

  void be(std::string_view user, std::string_view roles, std::string_view acr = {}) {
    session.clear();
    REQUIRE(session.set(layout.at(session::field::user), user));
    REQUIRE(session.set(layout.at(session::field::roles), roles));
    if (!acr.empty()) REQUIRE(session.set(layout.at(session::field::acr), acr));
  }
  result<void> append(std::string& out, epoch_ms at = now, std::size_t route = 7,
                      std::string_view id = "an-id-of-a-session") {
    return signer.append(out, {id, session, route, "api"}, at);
  }
  std::string token(epoch_ms at = now, std::size_t route = 7, std::string_view id = "an-id-of-a-session") {
    std::string out;
    REQUIRE(append(out, at, route, id));
    return out;
  }
};

}  // namespace

TEST_CASE("without keys there are no assertions, and nothing is published") {
  assertion_signer const signer({}, "https://app.example.com");
  CHECK_FALSE(signer.on());
  CHECK(signer.key_set().empty());
  CHECK(signer.line_start().empty());
}

TEST_CASE("an assertion says who asks, signed with the first key") {
  desk d;
  CHECK(d.signer.line_start() == "Doorward-Assertion: ");
  auto const t = take_apart(d.token());
  CHECK(t.header == json{{"alg", "ES256"}, {"typ", "JWT"}, {"kid", "key-0"}});
  auto const session = sha256_prefix("an-id-of-a-session");
  CHECK(t.claims == json{{"iss", "door"},
                         {"sub", "42"},
                         {"aud", "api"},
                         {"iat", 1'700'000'000},
                         {"exp", 1'700'000'060},
                         {"roles", {"admin", "user"}},
                         {"session", std::string(session.data(), session.size())}});
  jws_fault fault{};
  CHECK(jws_key::es256_public(d.key.public_pem, fault)->verifies(t.input, t.signature));
}

TEST_CASE("the level of a login, quotes and no role at all") {
  desk d;
  d.be("a\"b\\c", "", "2");
  auto const t = take_apart(d.token());
  CHECK(t.claims["sub"] == "a\"b\\c");
  CHECK(t.claims["roles"] == json::array());
  CHECK(t.claims["acr"] == "2");
}

TEST_CASE("HS256: nothing is published, and the issuer is the origin where none is given") {
  config::assertion_config c;
  c.algorithm = config::assertion_algorithm::hs256;
  std::string const secret(32, 's');
  c.keys.push_back({"one", {"f", "f", redacted(secret + "\n")}});
  desk d;
  assertion_signer signer(c, "https://app.example.com");
  CHECK(signer.key_set().empty());
  std::string token;
  REQUIRE(signer.append(token, {"an-id-of-a-session", d.session, 1, "api"}, now));
  auto const t = take_apart(token);
  CHECK(t.header["alg"] == "HS256");
  CHECK(t.claims["iss"] == "https://app.example.com");
  jws_fault fault{};
  CHECK(jws_key::hs256(secret, fault)->verifies(t.input, t.signature));
}

TEST_CASE("all keys are published, and no private part") {
  desk d;
  auto const set = json::parse(d.signer.key_set());
  REQUIRE(set["keys"].size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    auto const& k = set["keys"][i];
    CHECK(k.size() == 7);
    CHECK(k["kty"] == "EC");
    CHECK(k["crv"] == "P-256");
    CHECK(k["use"] == "sig");
    CHECK(k["alg"] == "ES256");
    CHECK(k["kid"] == "key-" + std::to_string(i));
    CHECK(k["x"].get<std::string>().size() == 43);
    CHECK(k["y"].get<std::string>().size() == 43);
  }
}

TEST_CASE("one is sent again while half of its lifetime is left, and never longer") {
  desk d;
  auto const first = d.token(now);
  CHECK(d.token(now + 29'000) == first);
  CHECK(d.token(1'700'000'029'999) == first);
  auto const second = d.token(1'700'000'030'000);
  CHECK(second != first);
  CHECK(take_apart(second).claims["exp"] == 1'700'000'090);
  // A clock that was set back must not send what is not made yet.
  CHECK(take_apart(d.token(now - 5'000)).claims["iat"] == 1'699'999'995);
}

TEST_CASE("whoever differs in anything that matters gets another") {
  desk d;
  auto const first = d.token();
  CHECK(d.token(now, 8) != first);
  CHECK(d.token(now, 7, "an-id-of-another-one") != first);
  d.be("42", "admin");
  CHECK(take_apart(d.token()).claims["roles"] == json{"admin"});
  d.be("43", "admin, user");
  CHECK(take_apart(d.token()).claims["sub"] == "43");
  d.be("42", "admin, user", "2");
  CHECK(take_apart(d.token()).claims["acr"] == "2");
  d.be("42", "admin, user");
  CHECK(d.token() == first);
}

TEST_CASE("what JSON cannot say is refused, never changed into somebody else") {
  desk d;
  struct row {
    std::string user, roles, acr;
  };
  auto const [user, roles, acr] = GENERATE(values<row>({{"J\xfcrgen", "user", ""},
                                                        {"42", "\xff", ""},
                                                        {"42", "user", "\xc3"},
                                                        {"42\r\nX: y", "user", ""},
                                                        {std::string("42\0x", 4), "user", ""}}));
  d.be(user, roles, acr);
  std::string out = "before";
  auto const r = d.append(out);
  REQUIRE_FALSE(r);
  CHECK(to_errc(r.error()) == errc::bad_identity);
  CHECK(out == "before");
}

TEST_CASE("one that is sent again takes nothing from the heap") {
  desk d;
  std::string out;
  out.reserve(4096);
  REQUIRE(d.append(out));
  auto const before = heap_use_so_far().taken;
  bool good = true;
  for (int i = 0; i < 100; ++i) {
    out.clear();
    good = d.append(out).has_value() && good;
  }
  CHECK(heap_use_so_far().taken == before);
  CHECK(good);
}

TEST_CASE("many sessions: each gets its own, and what is kept stays bounded") {
  desk d;
  d.be(std::string(5000, 'u'), "user");  // too large to be kept, and right all the same
  CHECK(take_apart(d.token()).claims["sub"].get<std::string>().size() == 5000);
  for (int i = 0; i < 200; ++i) {
    auto const name = std::to_string(i);
    d.be(name, "user");
    REQUIRE(take_apart(d.token(now, 7, "session-of-the-user-" + name)).claims["sub"] == name);
  }
}
