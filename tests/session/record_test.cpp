#include "doorward/session/record.hpp"

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "catch.hpp"
#include "doorward/session/field_layout.hpp"

using namespace doorward;
using namespace doorward::session;
using redis::reply;
using kind = redis::reply::kind;

namespace {

reply array(std::vector<std::string_view> const& items) {
  reply r;
  r.type = kind::array;
  r.items = items;
  return r;
}

std::vector<std::string> const custom{"plan", "email", "role", "plan"};

}  // namespace

TEST_CASE("a wanted name has a slot, whoever wants it, and other names have none") {
  field_layout const layout{config::session_fields{}, custom};
  CHECK(layout.size() == own_fields + 2);
  CHECK(layout.find("userId") == layout.at(field::user));
  CHECK(layout.find("role") == layout.at(field::roles));
  CHECK(layout.find("doorward.absoluteUntil") == layout.at(field::absolute_until));
  CHECK(layout.find("doorward.idle") == layout.at(field::idle));
  CHECK(layout.name(layout.find("email")) == "email");
  CHECK(layout.name(layout.find("plan")) == "plan");
  for (auto const* other : {"", "userid", "userI", "userIdd", "plam", "userId "})
    CHECK(layout.find(other) == field_layout::none);
}

TEST_CASE("two meanings of one field share its slot") {
  config::session_fields names;
  names.roles = names.user;
  field_layout const layout{names};
  CHECK(layout.at(field::roles) == layout.at(field::user));
}

TEST_CASE("more names than a mask holds") {
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i)
    many.push_back("field" + std::to_string(i));
  field_layout const layout{config::session_fields{}, many};
  for (auto const& n : many) {
    REQUIRE(layout.find(n) != field_layout::none);
    CHECK(layout.name(layout.find(n)) == n);
  }
  CHECK(layout.find("field100") == field_layout::none);
}

TEST_CASE("a session's fields are kept, unwanted ones are not") {
  field_layout const layout{config::session_fields{}, custom};
  record r{layout};
  std::vector<std::string_view> const items{"userId", "42", "theme", "dark", "role", "", "email", "a@b"};
  REQUIRE(decode(array(items), r) == outcome::found);
  CHECK(r.user() == "42");
  CHECK(r.has(layout.at(field::roles)));
  CHECK(r.roles().empty());
  CHECK(r.get(layout.find("email")) == "a@b");
  CHECK_FALSE(r.has(layout.find("plan")));
  CHECK(r.get(layout.find("plan")).empty());
  CHECK(r.get(field_layout::none).empty());
}

TEST_CASE("what Redis may say instead of a session") {
  field_layout const layout{config::session_fields{}, custom};
  reply nested = array({});
  nested.malformed = true;
  std::vector<std::string_view> const none, ghost{"lastSeen", "1"}, no_user{"userId", "", "role", "admin"},
      odd{"userId", "42", "role"}, twice{"userId", "42", "userId", "43"}, same{"userId", "42", "userId", "42"},
      twice_custom{"userId", "42", "plan", "a", "plan", "b"};
  auto const error = [](std::string_view text) {
    reply r;
    r.type = kind::error;
    r.text = text;
    return r;
  };
  auto const other = [](kind k) {
    reply r;
    r.type = k;
    r.text = "userId";
    return r;
  };
  struct row {
    std::string_view what;
    reply said;
    outcome expected;
  };
  row const rows[] = {
      {"no key", array(none), outcome::absent},
      {"no user field", array(ghost), outcome::ghost},
      {"empty user", array(no_user), outcome::ghost},
      {"odd count", array(odd), outcome::malformed},
      {"the user twice", array(twice), outcome::malformed},
      {"the same user twice", array(same), outcome::malformed},
      {"a wanted field twice", array(twice_custom), outcome::malformed},
      {"something else inside", nested, outcome::malformed},
      {"not a hash", error("WRONGTYPE Operation against a key"), outcome::wrong_type},
      {"another error", error("ERR syntax"), outcome::malformed},
      {"a string", other(kind::string), outcome::malformed},
      {"a status", other(kind::status), outcome::malformed},
      {"an integer", other(kind::integer), outcome::malformed},
      {"nil", other(kind::nil), outcome::malformed},
  };
  record r{layout};
  std::vector<std::string_view> const before{"userId", "41", "role", "admin"};
  for (auto const& one : rows) {
    INFO(one.what);
    REQUIRE(decode(array(before), r) == outcome::found);
    CHECK(decode(one.said, r) == one.expected);
    // Neither the last session's identity nor a part of this one is left.
    for (field_layout::slot s = 0; s < layout.size(); ++s)
      CHECK_FALSE(r.has(s));
    CHECK(r.user().empty());
    CHECK(r.roles().empty());
  }
}

TEST_CASE("an unwanted field twice is nobody's business") {
  field_layout const layout{config::session_fields{}};
  record r{layout};
  std::vector<std::string_view> const items{"userId", "42", "x", "1", "x", "2"};
  CHECK(decode(array(items), r) == outcome::found);
}

TEST_CASE("a record that is filled again uses the memory it has") {
  field_layout const layout{config::session_fields{}};
  record r{layout};
  std::string const user(300, 'u');
  std::vector<std::string_view> const items{"userId", user, "role", "admin"};
  REQUIRE(decode(array(items), r) == outcome::found);
  auto const* const where = r.user().data();
  for (int i = 0; i < 10; ++i) {
    r.reset(layout);
    REQUIRE(decode(array(items), r) == outcome::found);
    CHECK(static_cast<void const*>(r.user().data()) == static_cast<void const*>(where));
  }
}

TEST_CASE("an empty record answers as if all fields were absent") {
  record r;
  CHECK(r.user().empty());
  CHECK_FALSE(r.has(0));
}

TEST_CASE("times are milliseconds, or seconds when below 10^11") {
  struct row {
    std::string_view text;
    std::optional<epoch_ms> expected;
  };
  row const rows[] = {
      {"1754000000000", 1'754'000'000'000},
      {"1754000000", 1'754'000'000'000},
      {"99999999999", 99'999'999'999'000},
      {"100000000000", 100'000'000'000},
      {"0", 0},
      {"9223372036854775807", 9'223'372'036'854'775'807},
      {"", std::nullopt},
      {"-5", std::nullopt},
      {"-0", std::nullopt},
      {"+5", std::nullopt},
      {" 5", std::nullopt},
      {"5 ", std::nullopt},
      {"5.0", std::nullopt},
      {"0x5", std::nullopt},
      {"1e12", std::nullopt},
      {"9223372036854775808", std::nullopt},
      {"2025-08-01T00:00:00Z", std::nullopt},
  };
  for (auto const& r : rows) {
    INFO(r.text);
    CHECK(parse_time(r.text) == r.expected);
  }
}
