#include "doorward/http/encoded_ids.hpp"

#include "catch.hpp"
#include "doorward/base/encoding.hpp"
#include "doorward/http/cookies.hpp"

using namespace doorward;
using namespace doorward::http;
using enum signature_trouble;

namespace {

std::string const an_id = "an-id-for-the-documentation";
std::string const signature = "SYeXmAid5UQRc%2B0mYkY7SWJoMljckrMlT1astWSBbKw";

encoded_ids express(std::vector<std::string> const& secrets = {"keyboard cat"}) {
  std::vector<redacted> const all(secrets.begin(), secrets.end());
  return {encoded_ids::codec::express, all};
}
encoded_ids base64_ids() {
  return {encoded_ids::codec::base64, {}};
}
std::string id_in(encoded_ids const& ids, std::string_view value) {
  std::string id = "left over";
  bool const found = ids.id_in(value, id);
  CHECK(found == !id.empty());
  return id;
}
std::string in_base64(std::string_view text) {
  return base64({reinterpret_cast<unsigned char const*>(text.data()), text.size()});
}

}  // namespace

// As cookie-signature and cookie make it; worked out in Python.
TEST_CASE("express: a value of express-session") {
  auto const value = "s%3A" + an_id + '.' + signature;
  CHECK(express().encode(an_id) == value);
  CHECK(id_in(express(), value) == an_id);
  CHECK(id_in(express(), "s:" + an_id + "." + signature) == an_id);
  CHECK(id_in(express({"newer", "keyboard cat"}), value) == an_id);
  CHECK(id_in(express({"newer"}), value).empty());
  CHECK(express().is_signed());
}

TEST_CASE("express: ids with dots, short and long, and signatures with every character") {
  for (auto const& id : {std::string(16, '.'), "a.b.c" + std::string(20, 'd'), std::string(256, 'x')})
    CHECK(id_in(express(), express().encode(id)) == id);
  bool plus = false, slash = false;
  for (int i = 0; i < 50; ++i) {
    auto const id = std::string(20, 'i') + std::to_string(i);
    auto const value = express().encode(id);
    plus = plus || value.find("%2B") != value.npos;
    slash = slash || value.find("%2F") != value.npos;
    CHECK(id_in(express(), value) == id);
    CHECK(value.size() < encoded_ids::longest);
  }
  CHECK(plus);
  CHECK(slash);
}

TEST_CASE("express: every character of a value counts") {
  auto const value = "s:" + an_id + "." + express().encode(an_id).substr(an_id.size() + 5);
  for (std::size_t i = 0; i < value.size(); ++i) {
    auto other = value;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    CAPTURE(other);
    CHECK(id_in(express(), other).empty());
  }
}

TEST_CASE("express: what is wrong at first sight") {
  struct row {
    std::string value;
    std::optional<signature_trouble> trouble;
  };
  std::string const mac(43, 'a');
  auto const [value, trouble] = GENERATE_COPY(values<row>({
      {"", malformed},
      {"s:", malformed},
      {"s:.", malformed},
      {"s%3", malformed},
      {"s%zz" + an_id + "." + mac, malformed},
      {an_id, missing},
      {an_id + "." + mac, missing},
      {"s:" + an_id, malformed},
      {"s:short." + mac, malformed},
      {"s:" + std::string(257, 'a') + "." + mac, malformed},
      {"s:" + an_id + "." + mac + "=", malformed},
      {"s:" + an_id + "." + mac.substr(1), malformed},
      {"s:" + an_id + "%00." + mac, malformed},
      {"j:{}", malformed},
      {"s:" + an_id + "." + mac.substr(1) + "-", malformed},
      {"s:" + an_id + "." + mac + std::string(1024, 'a'), malformed},
      {"s:" + an_id + "." + mac, std::nullopt},
  }));
  CAPTURE(value);
  CHECK(express().find_trouble(value) == trouble);
  CHECK(id_in(express(), value).empty());
}

TEST_CASE("base64: a value of Spring Session") {
  std::string const uuid = "0d3b2a5c-9a7e-4b8d-8f0e-6a1c2d3e4f50";
  CHECK(base64_ids().encode(uuid) == "MGQzYjJhNWMtOWE3ZS00YjhkLThmMGUtNmExYzJkM2U0ZjUw");
  for (std::size_t n = 16; n < 22; ++n)
    CHECK(id_in(base64_ids(), base64_ids().encode(uuid.substr(0, n))) == uuid.substr(0, n));
  CHECK(id_in(base64_ids(), base64_ids().encode(std::string(256, 'x'))) == std::string(256, 'x'));
  CHECK_FALSE(base64_ids().is_signed());
}

TEST_CASE("base64: one spelling, and an id in it") {
  auto const good = in_base64(std::string(16, 'x'));  // two bytes over: "eA=="
  REQUIRE(good.ends_with("eA=="));
  auto const stem = good.substr(0, good.size() - 4);
  for (auto const& value : std::vector<std::string>{
           "", "=", "====", stem + "eA", stem + "eA=", stem + "eB==", stem + "eA===", stem + "e===", stem + "eA==\n",
           ' ' + good, stem + "e-==", "=" + good, in_base64("too short"), in_base64(std::string(257, 'x')),
           in_base64("an id with blanks in it"), in_base64(std::string(20, '\0')), in_base64("x/../../../../../y"),
           std::string(36, 'a') + "-", good + good}) {
    CAPTURE(value);
    CHECK(base64_ids().find_trouble(value) == malformed);
    CHECK(id_in(base64_ids(), value).empty());
  }
}

TEST_CASE("cookies of another program: ids in the order they came, each once") {
  auto const ids = express();
  std::array<std::string, session_cookies::most> storage;
  session_cookies into;
  auto const one = ids.encode(an_id), two = ids.encode("another-id-that-is-good");
  std::string decoded;
  REQUIRE(percent_decode(decoded, one));
  auto const field = "a=b; sid=x; sid=" + an_id + "; sid=\"" + one + "\"; sid=" + decoded + "; sid=" + two;
  CHECK(find_encoded_cookies(field, "sid", ids, storage, into));
  REQUIRE(into.count == 2);
  CHECK(into.ids[0] == an_id);
  CHECK(into.ids[1] == "another-id-that-is-good");
  CHECK_FALSE(into.too_many);
  CHECK_FALSE(find_encoded_cookies("a=b", "sid", ids, storage, into));
}

TEST_CASE("cookies of another program: no more than four are worked out") {
  auto const ids = express();
  std::array<std::string, session_cookies::most> storage;
  session_cookies into;
  std::string field;
  for (char c = 'a'; c < 'f'; ++c)
    field += "sid=s:" + std::string(20, c) + "." + std::string(43, 'm') + "; ";
  find_encoded_cookies(field, "sid", ids, storage, into);
  CHECK(into.count == 0);
  CHECK(into.looked_at_count == 4);
  CHECK(into.too_many);
  CHECK(into.trouble == wrong);
}
