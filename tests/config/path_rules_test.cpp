#include "config/path_rules.hpp"

#include "catch.hpp"

using namespace doorward::config;

TEST_CASE("patterns") {
  for (auto const* text :
       {"/", "/**", "/*", "/a", "/a/", "/a/**", "/a/*/b", "/*/*/**", "/a.b/c~d", "/caf%C3%A9", "/@x:y"}) {
    INFO(text);
    CHECK(std::holds_alternative<std::string>(parse_pattern(text)));
  }
}

TEST_CASE("what is no pattern, where and why") {
  constexpr char impossible[] =
      "no request can have this path: a blank, a control character, a backslash, a byte outside ASCII, a bad `%`, or a "
      "`..` that leaves the root";
  constexpr char readings[] =
      "`//`, `;`, `%2F`, `%5C` and `%3B` are read differently by different servers, so no path here has them";
  constexpr char canonical[] = "requests are matched by their canonical path, which this is not";
  constexpr char query[] = "a path has no query and no fragment";
  constexpr char whole[] = "`*` stands for one whole segment, `**` for the rest";
  constexpr char last[] = "`**` stands for the rest of a path, so it comes last";
  struct row {
    char const *text, *why, *fix;
    std::size_t offset;
  };
  for (auto const& [text, why, fix, offset] :
       std::vector<row>{{"", "a path begins with `/`", "", 0},
                        {"admin/**", "a path begins with `/`", "write `/admin/**`", 0},
                        {"/a b", impossible, "", 0},
                        {"/a\\b", impossible, "", 0},
                        {"/%zz", impossible, "", 0},
                        {"/%00", impossible, "", 0},
                        {"/../a", impossible, "", 0},
                        {"/\xC3\xBC", impossible, "", 0},
                        {"/a?b", query, "", 2},
                        {"/a#b", query, "", 2},
                        {"/a//b", readings, "", 0},
                        {"/a;b", readings, "", 0},
                        {"/a%2fb", readings, "", 0},
                        {"/a%5Cb", readings, "", 0},
                        {"/a/../b", canonical, "write `/b`", 1},
                        {"/a/./b", canonical, "write `/a/b`", 3},
                        {"/%61dmin", canonical, "write `/admin`", 1},
                        {"/caf%c3%a9", canonical, "write `/caf%C3%A9`", 5},
                        {"/a*", whole, "", 1},
                        {"/a/*.php", whole, "", 3},
                        {"/a/***", whole, "", 3},
                        {"/**/a", last, "", 1},
                        {"/a/**/**", last, "", 3},
                        {"/a/**/", last, "", 3},
                        {"/a%40b", "this path holds an escape that is not needed", "write `/a@b`", 2}}) {
    INFO(text);
    auto const got = parse_pattern(text);
    REQUIRE(std::holds_alternative<complaint>(got));
    CHECK(std::get_if<complaint>(&got)->text == why);
    CHECK(std::get_if<complaint>(&got)->suggestion == fix);
    CHECK(std::get_if<complaint>(&got)->offset == offset);
  }
}

TEST_CASE("a path is a pattern without wildcards") {
  CHECK(std::holds_alternative<std::string>(parse_path("/login")));
  CHECK(std::get<complaint>(parse_path("/login/**")).text == "this is a path, not a pattern: `*` means nothing in it");
  CHECK(std::get<complaint>(parse_path("login")).text == "a path begins with `/`");
}

TEST_CASE("doorward's own paths") {
  for (auto const* path : {"/.doorward", "/.doorward/", "/.doorward/whoami", "/.doorward/**"})
    CHECK(is_own_path(path));
  for (auto const* path : {"/.doorwards", "/doorward", "/**", "/a/.doorward"})
    CHECK_FALSE(is_own_path(path));
}
