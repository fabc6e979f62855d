#include "doorward/http/signed_ids.hpp"

#include <algorithm>

#include "catch.hpp"
#include "doorward/base/random.hpp"
#include "doorward/http/cookies.hpp"

using namespace doorward;
using namespace doorward::http;

namespace {

std::string const first_secret = "0123456789abcdef0123456789abcdef";
std::string const second_secret = "another key, which is as long as it has to be";
std::string const an_id = "an-id-for-the-documentation";

signed_ids keys(std::vector<std::string> const& secrets, std::string_view cookie = "sid") {
  std::vector<redacted> const all(secrets.begin(), secrets.end());
  return {cookie, all};
}

/// What find_session_cookies makes of our cookie with these values.
session_cookies found(std::string& field, std::vector<std::string> const& values, signed_ids const& ids) {
  for (auto const& v : values)
    field += "sid=" + v + "; ";
  session_cookies into;
  find_session_cookies(field, "sid", ids, into);
  return into;
}

}  // namespace

// The same vector stands in docs/security.md, and integration/security works it out in Python.
TEST_CASE("signed id, as documented") {
  CHECK(keys({first_secret}).sign(an_id) == an_id + ".a2haT0.7j7feqPgjtKnJACsa_PLnS_P-yU_y7S9");
  CHECK(keys({first_secret}, "__Host-sid").sign(an_id) == an_id + ".a2haT0.byzZ7aCvP-0dVAWa4cb-7pdci7MQn1Mp");
  CHECK(keys({first_secret}).kids() == std::vector<std::string>{"a2haT0"});
}

TEST_CASE("signed id, there and back") {
  auto const ids = keys({first_secret});
  auto const id = GENERATE(std::string(16, 'a'), std::string(256, '~'), std::string("with.dots.and.more.of.them"),
                           std::string("0123456789.a2haT0.7j7feqPgjtKnJACsa_PLnS_P-yU_y7S9"), std::string(20, '.'));
  CAPTURE(id);
  auto const value = ids.sign(id);
  CHECK(value.size() == id.size() + signed_ids::tail_length);
  CHECK_FALSE(ids.find_trouble(value));
  CHECK(ids.id_in(value) == id);
  CHECK(ids.id_in(value).data() == value.data());
  // Nothing that is signed has to be quoted, and no piece of it is an id by itself.
  CHECK(
      std::ranges::all_of(value, [](char c) { return std::string_view(";,\" \\").find(c) == std::string_view::npos; }));
  CHECK(ids.id_in(id).empty());
}

TEST_CASE("signed id, every byte of it counts, and so does every bit") {
  auto const ids = keys({first_secret, second_secret});
  auto const value = ids.sign(new_session_id());
  REQUIRE_FALSE(ids.id_in(value).empty());
  for (std::size_t at = 0; at < value.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      auto changed = value;
      changed[at] = static_cast<char>(byte);
      if (changed == value) continue;
      CAPTURE(at, byte);
      if (!ids.id_in(changed).empty()) FAIL("a changed value was taken");
    }
  }
}

TEST_CASE("signed id, nothing may be missing, doubled, inserted or swapped") {
  auto const ids = keys({first_secret, second_secret});
  auto const value = ids.sign(new_session_id());
  for (std::size_t at = 0; at < value.size(); ++at) {
    CAPTURE(at);
    CHECK(ids.id_in(value.substr(0, at)).empty());
    CHECK(ids.id_in(value.substr(at + 1)).empty());
    CHECK(ids.id_in(value.substr(0, at) + value.substr(at + 1)).empty());
    for (char const c : {value[at], '.', 'A', '='})
      CHECK(ids.id_in(value.substr(0, at) + c + value.substr(at)).empty());
    for (std::size_t other = at + 1; other < value.size(); ++other) {
      if (value[at] == value[other]) continue;
      auto swapped = value;
      std::swap(swapped[at], swapped[other]);
      if (!ids.id_in(swapped).empty()) FAIL("a swapped value was taken");
    }
  }
  CHECK(ids.id_in(value + value).empty());
  CHECK(ids.id_in(ids.sign(value)) == value);  // which names another session, and none that is there
}

TEST_CASE("signed id, of another key, cookie or id") {
  auto const ids = keys({first_secret});
  auto const value = ids.sign(an_id);
  CHECK(keys({second_secret}).id_in(value).empty());
  CHECK(keys({first_secret + ' '}).id_in(value).empty());
  CHECK(keys({first_secret}, "sid2").id_in(value).empty());
  CHECK(keys({first_secret}, "Sid").id_in(value).empty());
  // A signature stays with its id, and a kid with its signature.
  auto const tail = value.substr(an_id.size());
  CHECK(ids.id_in("another-id-for-the-docs" + tail).empty());
  auto const both = keys({first_secret, second_secret});
  auto const kid = both.kids()[1];
  CHECK(both.id_in(an_id + '.' + kid + tail.substr(1 + signed_ids::kid_length)).empty());
}

TEST_CASE("signed id, a bit of the key leaves nearly nothing of the signature") {
  auto const value = keys({first_secret}).sign(an_id);
  auto other_secret = first_secret;
  other_secret[0] ^= 1;
  auto const other = keys({other_secret}).sign(an_id);
  std::size_t same = 0;
  for (std::size_t i = value.size() - signed_ids::mac_length; i < value.size(); ++i)
    if (value[i] == other[i]) ++same;
  CHECK(same < 8);
}

TEST_CASE("rotation: a new key in front signs, the old ones are believed until they go") {
  auto const before = keys({first_secret});
  auto const during = keys({second_secret, first_secret});
  auto const after = keys({second_secret});
  auto const old_value = before.sign(an_id);
  auto const new_value = during.sign(an_id);
  CHECK(old_value != new_value);
  CHECK(during.id_in(old_value) == an_id);
  CHECK(during.id_in(new_value) == an_id);
  CHECK(after.id_in(new_value) == an_id);
  CHECK(after.sign(an_id) == new_value);
  CHECK(after.id_in(old_value).empty());
  CHECK(after.find_trouble(old_value) == signature_trouble::unknown_key);
  CHECK(before.id_in(new_value).empty());
}

TEST_CASE("no keys: ids come and go as they are") {
  signed_ids const ids;
  CHECK_FALSE(ids.active());
  CHECK(ids.kids().empty());
  CHECK(ids.sign(an_id) == an_id);
  CHECK(ids.id_in(an_id) == an_id);
  CHECK(ids.id_in("short").empty());
  CHECK(ids.find_trouble("short") == signature_trouble::malformed);
  CHECK_FALSE(ids.find_trouble(an_id));
}

TEST_CASE("signed id, what is wrong with a value") {
  auto const ids = keys({first_secret});
  auto const good = ids.sign(an_id);
  auto bad = good;
  bad.back() = bad.back() == 'A' ? 'B' : 'A';
  struct row {
    std::string value;
    std::optional<signature_trouble> at_first_sight;
    std::string id;
  };
  using enum signature_trouble;
  auto const long_id = std::string(257, 'a');
  for (auto const& r : std::vector<row>{{good, {}, an_id},
                                        {bad, {}, ""},
                                        {an_id, missing, ""},
                                        {std::string(256, 'a'), missing, ""},
                                        {long_id, malformed, ""},
                                        {keys({second_secret}).sign(an_id), unknown_key, ""},
                                        {"", malformed, ""},
                                        {"short", malformed, ""},
                                        {ids.sign("fifteen-letters"), malformed, ""},
                                        {ids.sign(long_id), malformed, ""},
                                        {ids.sign("not an id, but signed"), malformed, ""},
                                        {good.substr(an_id.size()), missing, ""},
                                        {good + '=', malformed, ""}}) {
    CAPTURE(r.value);
    CHECK(ids.find_trouble(r.value) == r.at_first_sight);
    CHECK(ids.id_in(r.value) == r.id);
  }
}

TEST_CASE("cookies with signatures: ids without them, and what was wrong with the others") {
  auto const ids = keys({second_secret, first_secret});
  auto const other = keys({first_secret});
  std::string const a(43, 'a'), b(43, 'b');
  auto forged = ids.sign(a);
  forged.back() = forged.back() == 'A' ? 'B' : 'A';
  auto const unknown = keys({"a third key that nobody here knows of"}).sign(a);
  struct row {
    std::vector<std::string> values, found;
    std::optional<signature_trouble> trouble;
  };
  using enum signature_trouble;
  for (auto const& r : std::vector<row>{{{ids.sign(a)}, {a}, {}},
                                        {{'"' + ids.sign(a) + '"'}, {a}, {}},
                                        {{ids.sign(a), other.sign(a)}, {a}, {}},
                                        {{ids.sign(a), other.sign(b)}, {a, b}, {}},
                                        {{a}, {}, missing},
                                        {{"x", a}, {}, missing},
                                        {{a, "x"}, {}, missing},
                                        {{"x"}, {}, malformed},
                                        {{forged}, {}, wrong},
                                        {{forged, a, "x"}, {}, wrong},
                                        {{unknown, a}, {}, unknown_key},
                                        {{forged, ids.sign(a)}, {a}, wrong}}) {
    CAPTURE(r.values);
    std::string field;
    auto const c = found(field, r.values, ids);
    CHECK(std::vector<std::string>(c.ids.begin(), c.ids.begin() + static_cast<std::ptrdiff_t>(c.count)) == r.found);
    CHECK(c.trouble == r.trouble);
    CHECK(c.present);
    CHECK_FALSE(c.too_many);
  }
}

TEST_CASE("cookies with signatures: at most four are computed, and unsigned ones take no place") {
  auto const ids = keys({first_secret});
  std::vector<std::string> unsigned_values, forged;
  for (char c = 'a'; c < 'k'; ++c) {
    unsigned_values.emplace_back(20, c);
    forged.push_back(std::string(20, c) + ".a2haT0." + std::string(32, 'A'));
  }
  auto const good = ids.sign(an_id);
  std::string field;
  auto values = unsigned_values;
  values.push_back(good);
  auto c = found(field, values, ids);
  CHECK(c.count == 1);
  CHECK_FALSE(c.too_many);

  field.clear();
  values = std::vector(20, forged[0]);  // one and the same
  values.push_back(good);
  c = found(field, values, ids);
  CHECK(c.count == 1);
  CHECK(c.looked_at_count == 2);

  field.clear();
  values = forged;
  values.push_back(good);
  c = found(field, values, ids);
  CHECK(c.count == 0);
  CHECK(c.too_many);
  CHECK(c.looked_at_count == session_cookies::most);
  CHECK(c.trouble == signature_trouble::wrong);
}
