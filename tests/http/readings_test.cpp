#include <algorithm>
#include <set>
#include <string>

#include "catch.hpp"
#include "doorward/http/target.hpp"

namespace {

using doorward::http::canonicalise;
using strings = std::vector<std::string>;

strings readings_of(std::string const& raw) {
  std::string scratch;
  auto const path = canonicalise(raw, scratch);
  REQUIRE(path.has_value());
  auto readings = path->readings();
  std::ranges::sort(readings);
  return readings;
}

TEST_CASE("readings, one habit at a time") {
  struct row {
    std::string raw;
    strings readings;  // sorted
  };
  auto const r = GENERATE(values<row>({
      // "//" merged or not
      {"/a//b", {"/a/b"}},
      {"/a///b//", {"/a/b/"}},
      {"/a//", {"/a/"}},
      // in front, also taken for an authority
      {"//", {"/"}},
      {"//admin", {"/", "/admin"}},
      {"//x/admin", {"/admin", "/x/admin"}},
      {"///admin", {"/", "/admin"}},
      // ";params" dropped from each segment, the last one, or with all that follows
      {"/a;x", {"/a"}},
      {"/a/;x", {"/a/"}},
      {"/a;", {"/a"}},
      {"/a;x;y=1/b", {"/a", "/a/b"}},
      {"/a;x/b;y", {"/a", "/a/b", "/a;x/b"}},
      {"/a/..;/b", {"/", "/b"}},
      {"/a/..;x", {"/"}},
      {"/a/.;/b", {"/a/", "/a/b"}},
      {"/a/...;/b", {"/a/...", "/a/.../b"}},
      {"/..;/a", {"/.."}},  // "/.." = climbed
      {"/a/;x/b", {"/a/", "/a//b", "/a/b"}},
      // "%2F"
      {"/a%2fb", {"/a/b"}},
      {"/a/..%2fb", {"/b"}},
      {"/a%2F..%2Fb", {"/b"}},
      {"/a/.%2fb", {"/a/b"}},
      {"/a%2f..", {"/"}},
      {"/..%2fa", {"/.."}},
      {"/%2Fa", {"/", "//a", "/a"}},
      {"/a%2f%2fb", {"/a//b", "/a/b"}},
      // "%5C"
      {"/a%5cb", {"/a/b"}},
      {"/a/..%5cb", {"/b"}},
      // "%3B" after decoding
      {"/a/..%3b/b", {"/", "/b"}},
      {"/a%3Bx", {"/a"}},
      // what a ".." would take from an empty segment depends on the order of things
      {"/a//..;/b", {"/", "/..", "/a/..;/b", "/b"}},
  }));
  CAPTURE(r.raw);
  auto expected = r.readings;
  std::ranges::sort(expected);
  CHECK(readings_of(r.raw) == expected);
}

TEST_CASE("readings, none where a dot segment removed what is read in different ways") {
  auto const raw = GENERATE(as<std::string>{}, "/a//../b", "/a;b/../c", "/a%2fb/../c", "/a%5cb/%2e%2e/c", "/a/%3b/../c",
                            "/a;b/x/../../c", "/a//x/../../b", "//../a");
  CAPTURE(raw);
  CHECK(readings_of(raw) == strings{"/.."});
}

TEST_CASE("readings, habits together") {
  struct row {
    char const* raw;
    char const* reading;  // one of several
  };
  auto const r = GENERATE(values<row>({
      {"/a%2f..%5cb", "/b"},
      {"/a%2f..%5cb", "/a/..%5Cb"},
      {"/a/..;x%2fb", "/b"},  // decoded first: ";x" is the params
      {"/a/..;x%2fb", "/"},   // dropped first: ";x%2Fb" is
      {"/a;%2f..%2fb", "/b"},
      {"/a/b%2f..%2f..;/c", "/c"},
      {"/a//b;x", "/a/b"},
      {"/a//b%2fc;x", "/a/b/c"},
      {"/a;x/..%3By/b", "/b"},
      {"/%5cx/a;y", "/a"},  // decoded, then an authority
      {"/;x/y/a", "/a"},    // dropped, then an authority
      {"//x;y%2fz/a", "/a"},
      {"//x%2fy/a", "/a"},             // an authority, then decoded
      {"//x%5cy%2fa%5cb", "/a/b"},     // between the two
      {"///x/a", "/a"},                // the third slash merged
      {"/a%3b..%5cb//%5cc", "/a/c"},   // params dropped before backslashes count
      {"/a;x%2fb/c%3by/d", "/a/c/d"},  // params dropped before decoding and after it
      {"/a;x/b%3by/c", "/a/b/c"},
      {"/x%2f..%2f/a", "/.."},  // hidden dots bring "//" in front
      {"/.;/%2fa", "/.."},
      {"/%5c.;/a", "/.."},         // and may be taken for an authority
      {"/%2f;x/a/b;y/c", "/a/b"},  // an authority, then params
  }));
  CAPTURE(r.raw);
  auto const readings = readings_of(r.raw);
  CAPTURE(readings);
  CHECK(std::ranges::find(readings, r.reading) != readings.end());
}

TEST_CASE("readings, neither the path itself nor one twice") {
  auto const raw =
      GENERATE(as<std::string>{}, "/a//b", "/a;x//b%2fc%5cd%3be", "/%2f%5c;/x", "//..;/a%2f..//b", "/a//../b//c");
  auto const readings = readings_of(raw);
  CHECK(std::set<std::string>(readings.begin(), readings.end()).size() == readings.size());
  std::string scratch;
  CHECK(std::ranges::find(readings, canonicalise(raw, scratch)->text()) == readings.end());
}

TEST_CASE("readings, a long path with everything in it is not worth the work") {
  std::string raw = "/";
  while (raw.size() < 8000)
    raw += ";/%2f%5c%3b//";
  CHECK(readings_of(raw) == strings{"/.."});
}

TEST_CASE("readings, a short path with everything in it has too many to match each") {
  CHECK(readings_of("//d%2fonid=1//a/./../%5c.R//0%3B/ac;i%3B<0/Db") == strings{"/.."});
}

TEST_CASE("readings, a long path of one habit is read") {
  std::string raw = "/proxy";
  while (raw.size() < 8000)
    raw += "%2Fsegment";
  auto const readings = readings_of(raw);
  REQUIRE(readings.size() == 1);
  CHECK(readings[0].starts_with("/proxy/segment/segment/"));
}

}  // namespace
