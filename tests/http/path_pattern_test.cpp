#include "doorward/http/path_pattern.hpp"

#include "catch.hpp"

namespace {

using doorward::http::literal_prefix;
using doorward::http::path_pattern;
using doorward::http::path_pattern_problem;
using doorward::http::starts_with_segments;

TEST_CASE("path pattern, which paths match") {
  struct row {
    char const* pattern;
    char const* path;
    bool matches;
  };
  auto const r = GENERATE(values<row>({
      {"/admin/**", "/admin", true},
      {"/admin/**", "/admin/", true},
      {"/admin/**", "/admin/a", true},
      {"/admin/**", "/admin/a/b/", true},
      {"/admin/**", "/admin//", true},
      {"/admin/**", "/administrator", false},
      {"/admin/**", "/admi", false},
      {"/admin/**", "/Admin", false},
      {"/admin/**", "//admin", false},
      {"/admin/**", "/", false},
      {"/**", "/", true},
      {"/**", "/a/b", true},
      {"/**", "//", true},
      {"/", "/", true},
      {"/", "//", false},
      {"/", "/a", false},
      {"/a", "/a", true},
      {"/a", "/a/", false},
      {"/a/", "/a/", true},
      {"/a/", "/a", false},
      {"/a/", "/a//", false},
      {"/*", "/a", true},
      {"/*", "/", false},
      {"/*", "/a/", false},
      {"/*", "/a/b", false},
      {"/*/", "/a/", true},
      {"/*/", "//", false},
      {"/u/*/photo", "/u/1/photo", true},
      {"/u/*/photo", "/u//photo", false},
      {"/u/*/photo", "/u/1/2/photo", false},
      {"/u/*/**", "/u/1", true},
      {"/u/*/**", "/u/1/2", true},
      {"/u/*/**", "/u/", false},
      {"/u/*/**", "/u", false},
      {"/*/*", "/a/b", true},
      {"/*/*", "/a", false},
      {"/caf%C3%A9", "/caf%C3%A9", true},
      {"/**", "/..", false},
      {"/*", "/..", false},
  }));
  CAPTURE(r.pattern, r.path);
  CHECK_FALSE(path_pattern_problem(r.pattern));
  CHECK(path_pattern(r.pattern).matches(r.path) == r.matches);
}

TEST_CASE("path pattern, what cannot be one") {
  struct row {
    char const* pattern;
    char const* part_of_problem;
    char const* instead;
    std::size_t offset;
  };
  auto const r = GENERATE(values<row>({
      {"", "begins with `/`", "", 0},
      {"a", "begins with `/`", "/a", 0},
      {"**", "begins with `/`", "/**", 0},
      {"/**/a", "comes last", "", 1},
      {"/a/**/", "comes last", "", 3},
      {"/a*", "whole segment", "", 1},
      {"/a**", "whole segment", "", 1},
      {"/***", "whole segment", "", 1},
      {"/b/*a/b", "whole segment", "", 3},
      {"/a b", "no request", "", 0},
      {"/a?b", "no query", "", 2},
      {"/a#b", "no query", "", 2},
      {"/a\\b", "no request", "", 0},
      {"/caf\xc3\xa9", "no request", "", 0},
      {"/a%zz", "no request", "", 0},
      {"/a%00", "no request", "", 0},
      {"/../a", "no request", "", 0},
      {"//a", "read differently", "", 0},
      {"/a//**", "read differently", "", 0},
      {"/a;b", "read differently", "", 0},
      {"/a%2Fb", "read differently", "", 0},
      {"/a%5Cb", "read differently", "", 0},
      {"/a%3Bb", "read differently", "", 0},
      {"/a/./b", "canonical", "/a/b", 3},
      {"/a/../b/**", "canonical", "/b/**", 1},
      {"/%61", "canonical", "/a", 1},
      {"/caf%c3%a9", "canonical", "/caf%C3%A9", 5},
      {"/%40scope/**", "not needed", "/@scope/**", 1},
      {"/%2A", "not needed", "", 1},
  }));
  CAPTURE(r.pattern);
  auto const problem = path_pattern_problem(r.pattern);
  REQUIRE(problem);
  CAPTURE(problem->what);
  CHECK(problem->what.find(r.part_of_problem) != std::string::npos);
  CHECK(problem->instead == r.instead);
  CHECK(problem->offset == r.offset);
}

TEST_CASE("path pattern, one covers another") {
  struct row {
    char const* a;
    char const* b;
    bool covers;
  };
  auto const r = GENERATE(values<row>({
      {"/**", "/**", true},    {"/**", "/", true},         {"/**", "/a/*/b", true},  {"/a/**", "/a", true},
      {"/a/**", "/a/", true},  {"/a/**", "/a/b/**", true}, {"/a/**", "/a/*", true},  {"/a/**", "/**", false},
      {"/a/**", "/ab", false}, {"/a/**", "/*/b", false},   {"/*/**", "/a/**", true}, {"/*/**", "/", false},
      {"/*/**", "/**", false}, {"/*", "/a", true},         {"/*", "/", false},       {"/*", "/*", true},
      {"/*", "/a/", false},    {"/*", "/a/**", false},     {"/*/b", "/a/b", true},   {"/a/b", "/*/b", false},
      {"/a", "/a/", false},    {"/a", "/a", true},
  }));
  CAPTURE(r.a, r.b);
  CHECK(path_pattern(r.a).covers(path_pattern(r.b)) == r.covers);
}

// What covers() and meets() say, by matching: over every path that three segments of a small alphabet can make.
TEST_CASE("path pattern, covers and meets agree with matches") {
  std::vector<std::string> const parts{"", "a", "b", "c"};
  std::vector<std::string> paths;
  for (auto const& x : parts) {
    paths.push_back("/" + x);
    for (auto const& y : parts) {
      paths.push_back("/" + x + "/" + y);
      for (auto const& z : parts)
        paths.push_back("/" + x + "/" + y + "/" + z);
    }
  }
  std::vector<std::string> const patterns{"/**",    "/a/**",   "/*/**", "/a/*/**", "/",     "/a",     "/a/",
                                          "/*",     "/*/",     "/a/b",  "/a/*",    "/*/b",  "/*/*",   "/b/*",
                                          "/a/b/*", "/a/b/**", "/*/b/", "/b/**",   "/*/*/", "/a/*/b", "/*/*/*"};
  for (auto const& a : patterns) {
    for (auto const& b : patterns) {
      bool every = true;
      bool some = false;
      for (auto const& p : paths) {
        every = every && (!path_pattern(b).matches(p) || path_pattern(a).matches(p));
        some = some || (path_pattern(b).matches(p) && path_pattern(a).matches(p));
      }
      CAPTURE(a, b);
      CHECK(path_pattern(a).covers(path_pattern(b)) == every);
      CHECK(path_pattern(a).meets(path_pattern(b)) == some);
    }
  }
}

TEST_CASE("literal prefix of a pattern") {
  CHECK(literal_prefix("/**") == "");
  CHECK(literal_prefix("/*/a") == "");
  CHECK(literal_prefix("/a/**") == "/a");
  CHECK(literal_prefix("/a/b/*/c") == "/a/b");
  CHECK(literal_prefix("/a/b") == "/a/b");
  CHECK(literal_prefix("/a/") == "/a/");
  CHECK(literal_prefix("/") == "/");
}

TEST_CASE("prefix of whole segments") {
  CHECK(starts_with_segments("/api", "/api"));
  CHECK(starts_with_segments("/api/", "/api"));
  CHECK(starts_with_segments("/api/x", "/api"));
  CHECK(starts_with_segments("/api/x", "/api/"));
  CHECK(starts_with_segments("/api", "/api/"));
  CHECK(starts_with_segments("/x", "/"));
  CHECK(starts_with_segments("/x", ""));
  CHECK_FALSE(starts_with_segments("/apis", "/api"));
  CHECK_FALSE(starts_with_segments("/ap", "/api"));
  CHECK_FALSE(starts_with_segments("/api;x", "/api"));
}

}  // namespace
