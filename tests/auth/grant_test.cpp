#include "doorward/auth/grant.hpp"

#include "catch.hpp"
#include "doorward/base/errc.hpp"

using doorward::errc;
using doorward::auth::parse_grant;
using namespace std::chrono_literals;

TEST_CASE("fields become text") {
  auto const g = parse_grant(
      R"({"userId":"42","age":7,"score":1.5,"active":true,"role":["admin","ops"],"name":"J\u00fcrgen","none":[]})", "",
      "userId");
  REQUIRE(g.has_value());
  CHECK(g->field("userId") == "42");
  CHECK(g->field("age") == "7");
  CHECK(g->field("score") == "1.5");
  CHECK(g->field("active") == "true");
  CHECK(g->field("role") == "admin,ops");
  CHECK(g->field("name") == "J\xc3\xbcrgen");
  CHECK(g->field("none").empty());
  CHECK_FALSE(g->remember);
  CHECK_FALSE(g->idle);
}

TEST_CASE("options are read") {
  auto const g = parse_grant(R"({"userId":"42"})", " remember ; idle=30m; absolute = 12h;", "userId");
  REQUIRE(g.has_value());
  CHECK(g->remember);
  CHECK(g->idle == 30min);
  CHECK(g->absolute == 12h);
}

TEST_CASE("a grant that is not understood to its end is refused") {
  struct {
    std::string why;
    std::string json;
    std::string options;
  } const rows[]{
      {"not JSON", "userId=42", ""},
      {"not an object", R"(["userId"])", ""},
      {"more than one value", R"({"userId":"42"} {})", ""},
      {"no user", R"({"role":"admin"})", ""},
      {"an empty user", R"({"userId":""})", ""},
      {"a user that is null", R"({"userId":null})", ""},
      {"an object inside", R"({"userId":"42","a":{"b":"c"}})", ""},
      {"an array of numbers", R"({"userId":"42","role":[1]})", ""},
      {"an item with a comma", R"({"userId":"42","role":["a,b"]})", ""},
      {"the same name twice", R"({"userId":"42","userId":"43"})", ""},
      {"an empty name", R"({"userId":"42","":"x"})", ""},
      {"a name of doorward's own", R"({"userId":"42","doorward.idle":"9"})", ""},
      {"CR and LF in a value", R"({"userId":"42\r\nX-User-Role: admin"})", ""},
      {"NUL in a value", R"({"userId":"4\u0000"})", ""},
      {"an option nobody knows", R"({"userId":"42"})", "forever"},
      {"a level that is no number", R"({"userId":"42"})", "acr=high"},
      {"a level that is not there", R"({"userId":"42"})", "acr"},
      {"a level below all", R"({"userId":"42"})", "acr=-1"},
      {"a level above all", R"({"userId":"42"})", "acr=100"},
      {"two levels", R"({"userId":"42"})", "acr=1; acr=2"},
      {"two times", R"({"userId":"42"})", "auth_time=1; auth_time=2"},
      {"a time that is none", R"({"userId":"42"})", "auth_time=2024-05-01"},
      {"a time that is not there", R"({"userId":"42"})", "auth_time="},
      {"a time before all", R"({"userId":"42"})", "auth_time=-1"},
      {"a level among the fields", R"({"userId":"42","doorward.acr":"2"})", ""},
      {"a value where there is none", R"({"userId":"42"})", "remember=yes"},
      {"a lifetime without a unit", R"({"userId":"42"})", "idle=30"},
      {"a negative lifetime", R"({"userId":"42"})", "idle=-1m"},
      {"no lifetime", R"({"userId":"42"})", "absolute="},
  };
  for (auto const& r : rows) {
    INFO(r.why);
    auto const g = parse_grant(r.json, r.options, "userId");
    REQUIRE_FALSE(g.has_value());
    CHECK(g.error() == errc::bad_grant);
  }
}

TEST_CASE("how and when somebody logged in") {
  constexpr doorward::epoch_ms now = 1'700'000'000'000;
  struct {
    std::string options;
    std::optional<unsigned> acr;
    std::optional<doorward::epoch_ms> at;
  } const rows[]{
      {"", {}, {}},
      {"acr=2", 2, {}},
      {"acr=0", 0, {}},
      {"acr = 99 ; remember", 99, {}},
      {"auth_time=1699999000", {}, 1'699'999'000'000},
      {"acr=1; auth_time=1699999000123", 1, 1'699'999'000'123},
      {"auth_time=1700000000000", {}, now},
      // A clock that is a little ahead is not the future.
      {"auth_time=1700000060000", {}, now},
  };
  for (auto const& r : rows) {
    INFO(r.options);
    auto const g = parse_grant(R"({"userId":"42"})", r.options, "userId", now);
    REQUIRE(g.has_value());
    CHECK(g->acr == r.acr);
    CHECK(g->auth_time == r.at);
  }
  CHECK_FALSE(parse_grant(R"({"userId":"42"})", "auth_time=1700000060001", "userId", now).has_value());
  CHECK_FALSE(parse_grant(R"({"userId":"42"})", "auth_time=1700000061", "userId", now).has_value());
}

TEST_CASE("a grant has a size") {
  CHECK_FALSE(parse_grant(R"({"userId":")" + std::string(20'000, 'x') + R"("})", "", "userId").has_value());
  std::string many = R"({"userId":"42")";
  for (int i = 0; i < 64; ++i)
    many += ",\"f" + std::to_string(i) + "\":\"x\"";
  CHECK_FALSE(parse_grant(many + "}", "", "userId").has_value());
  std::string const deep(10'000, '[');
  CHECK_FALSE(parse_grant(R"({"userId":)" + deep, "", "userId").has_value());
}
