#include "config/suggest.hpp"

#include "catch.hpp"

using namespace doorward::config;

TEST_CASE("the edit distance counts letters, a swap as one") {
  struct row {
    char const *a, *b;
    std::size_t distance;
  };
  for (auto const& [a, b, distance] : std::vector<row>{{"", "", 0},
                                                       {"auth", "auth", 0},
                                                       {"auth", "", 4},
                                                       {"", "auth", 4},
                                                       {"auht", "auth", 1},
                                                       {"aut", "auth", 1},
                                                       {"authx", "auth", 1},
                                                       {"kitten", "sitting", 3},
                                                       {"ca", "abc", 3}}) {
    INFO(a << " " << b);
    CHECK(edit_distance(a, b) == distance);
  }
}

TEST_CASE("a misspelling finds what was meant, anything else does not") {
  std::vector<std::string> const words{"auth", "path", "host", "header_bytes", "body_bytes", "id"};
  CHECK(nearest("auht", words) == "auth");
  CHECK(nearest("Path", words) == "path");
  CHECK(nearest("header-bytes", words) == "header_bytes");
  CHECK(nearest("headerbytes", words) == "header_bytes");
  CHECK(nearest("di", words) == "id");
  CHECK_FALSE(nearest("cookie", words).has_value());
  CHECK_FALSE(nearest("", words).has_value());
  CHECK_FALSE(nearest(std::string(100'000, 'a'), words).has_value());
}

TEST_CASE("nothing near: few words are listed, many are not") {
  CHECK(suggest("zzzzz", {"one", "two", "three"}) == "known here: `one`, `two` and `three`");
  CHECK(suggest("zzzzz", {"one"}) == "known here: `one`");
  CHECK(suggest("zzzzz", {}).empty());
  CHECK(suggest("zzzzz", std::vector<std::string>(17, "word")).empty());
  CHECK(suggest("tow", {"one", "two", "three"}) == "did you mean `two`?");
}
