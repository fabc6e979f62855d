#include "doorward/http/target.hpp"

#include "catch.hpp"
#include "doorward/base/errc.hpp"

namespace {

using namespace std::string_literals;
using doorward::errc;
using doorward::http::canonicalise;

// As text, or "refused".
std::string canonical(std::string_view raw) {
  std::string scratch;
  auto const path = canonicalise(raw, scratch);
  if (!path) return path.error() == errc::bad_request ? "refused" : path.error().message();
  return std::string(path->text());
}

TEST_CASE("path, canonical form") {
  struct row {
    std::string raw;
    std::string canonical;
  };
  auto const r = GENERATE(values<row>({
      // already canonical
      {"/", "/"},
      {"/a/b/", "/a/b/"},
      {"/.well-known/x", "/.well-known/x"},
      {"/..a/...", "/..a/..."},
      {"/a./b..", "/a./b.."},
      {"/~a_b-c.d", "/~a_b-c.d"},
      {"/a!$&'()*+,=:@b", "/a!$&'()*+,=:@b"},
      {"/[a]|{b}^`\"<>", "/[a]|{b}^`\"<>"},
      {"/a;b=c", "/a;b=c"},
      {"/a//b", "/a//b"},
      {"//a", "//a"},
      {"/%20%C3%A9", "/%20%C3%A9"},
      {"/a%2Fb%5Cc%3Bd", "/a%2Fb%5Cc%3Bd"},
      {"/%3F%23%25", "/%3F%23%25"},
      {"/%40%3A", "/%40%3A"},
      {"/%C0b", "/%C0b"},
      {"/%E9t%E9", "/%E9t%E9"},
      {"/%E0%A4%A1", "/%E0%A4%A1"},
      {"/%F0%9F%98%80", "/%F0%9F%98%80"},
      // escapes
      {"/%61%62", "/ab"},
      {"/%7e%2D%5f%2E%30", "/~-_.0"},
      {"/%2f%5c%3b", "/%2F%5C%3B"},
      {"/%c3%a9", "/%C3%A9"},
      {"/%252f%252e%252e", "/%252f%252e%252e"},
      {"/%25%32%66", "/%252f"},
      {"/%2541", "/%2541"},
      // dot segments
      {"/.", "/"},
      {"/./", "/"},
      {"/a/.", "/a/"},
      {"/a/./b", "/a/b"},
      {"/a/..", "/"},
      {"/a/../", "/"},
      {"/a/b/..", "/a/"},
      {"/a/b/../", "/a/"},
      {"/a/../b", "/b"},
      {"/a/b/../../c", "/c"},
      {"/a/%2e%2e/b", "/b"},
      {"/a/%2E./b", "/b"},
      {"/a/.%2e/b", "/b"},
      {"/a/%2e/b", "/a/b"},
      {"/a//../b", "/a/b"},
      {"/a//..", "/a/"},
      {"//..", "/"},
      {"//../a", "/a"},
      {"/a/..//b", "//b"},
      {"/a;x/../b", "/b"},
      {"/a%2Fb/../c", "/c"},
      {"/a/..;/b", "/a/..;/b"},
      {"/a/%2e%2e;/b", "/a/..;/b"},
      {"/a/%2e%2e%2fb", "/a/..%2Fb"},
      {"/a/..%5cb", "/a/..%5Cb"},
      {"/a/..%00/../b", "refused"},
      // refused
      {"", "refused"},
      {"a", "refused"},
      {"*", "refused"},
      {"http://x/a", "refused"},
      {"?x", "refused"},
      {"/a?b", "refused"},
      {"/a#b", "refused"},
      {"/a b", "refused"},
      {"/a\\b", "refused"},
      {"/a\tb", "refused"},
      {"/a\r\nb", "refused"},
      {"/a\0b"s, "refused"},
      {"/a\x7f", "refused"},
      {"/a\x80", "refused"},
      {"/caf\xc3\xa9", "refused"},
      {"/%", "refused"},
      {"/%4", "refused"},
      {"/%4g", "refused"},
      {"/%g4", "refused"},
      {"/%%34%31", "refused"},
      {"/%u002f", "refused"},
      {"/%-1", "refused"},
      {"/% 1", "refused"},
      {"/%00", "refused"},
      {"/%0d%0a", "refused"},
      {"/%1F", "refused"},
      {"/%09", "refused"},
      {"/%7f", "refused"},
      {"/%61/%00", "refused"},
      {"/%61\\", "refused"},
      {"/%61%zz", "refused"},
      {"/a/%00/../b", "refused"},
      {"/a/%zz/../b", "refused"},
      {"/a\\/../b", "refused"},
      {"/..", "refused"},
      {"/../a", "refused"},
      {"/a/../../b", "refused"},
      {"/a/../..", "refused"},
      {"/%2e%2e/a", "refused"},
      {"/./../a", "refused"},
      {"/a/../../a/b/c", "refused"},
      // overlong forms of '/', '.' and '\'
      {"/%c0%af", "refused"},
      {"/%C0%AE%C0%AE/a", "refused"},
      {"/%c1%9c", "refused"},
      {"/%e0%80%af", "refused"},
      {"/%f0%80%80%af", "refused"},
      {"/%61%c0%ae", "refused"},
  }));
  CAPTURE(r.raw);
  CHECK(canonical(r.raw) == r.canonical);
}

TEST_CASE("path, canonical form of a canonical form is itself") {
  auto const raw = GENERATE(values<std::string>(
      {"/a/%2e%2e/b", "/%25%32%65", "/a/..;/b", "//%2e/x", "/%c3%a9%2f", "/a/b/..", "/%7Ea", "/a//../b//"}));
  auto const once = canonical(raw);
  CHECK(canonical(once) == once);
}

TEST_CASE("path, one that is canonical is not copied") {
  std::string const raw = "/shop/items;x=1/a%2Fb//c";
  std::string scratch = "untouched";
  auto const path = canonicalise(raw, scratch);
  REQUIRE(path.has_value());
  CHECK(path->text().data() == raw.data());
  CHECK(scratch == "untouched");
}

TEST_CASE("path, read the same way by everybody or not") {
  struct row {
    char const* raw;
    bool plain;
  };
  auto const r = GENERATE(values<row>({
      {"/", true},
      {"/a/b", true},
      {"/a/", true},
      {"/a%20b", true},
      {"/a%40b", true},
      {"/a/x/../b", true},
      // a ".." removes what servers read in different ways, although none of it is left to be seen
      {"/a//../b", false},
      {"/a;b/../c", false},
      {"/a%2fb/../c", false},
      {"/a%5cb/../c", false},
      {"/a%3bb/../c", false},
      {"/a;b/x/../../c", false},
      {"/a//x/../../b", false},
      {"//", false},
      {"/a//", false},
      {"/a;", false},
      {"/a%2f", false},
      {"/a%5c", false},
      {"/a%3b", false},
      {"/%61//b", false},
      {"/%61;b", false},
  }));
  CAPTURE(r.raw);
  std::string scratch;
  auto const path = canonicalise(r.raw, scratch);
  REQUIRE(path.has_value());
  CHECK(path->plain() == r.plain);
  CHECK(path->readings().empty() == r.plain);
}

TEST_CASE("path, bytes that may be escaped or not") {
  using doorward::http::decode_reserved;
  CHECK(decode_reserved("/%40a%3A%21") == "/@a:!");
  CHECK(decode_reserved("/%7B%5B%22") == "/{[\"");
  CHECK(decode_reserved("/%2F%5C%3B%25%20%3F%23%C3%A9") == "/%2F%5C%3B%25%20%3F%23%C3%A9");
  CHECK(decode_reserved("/%2540") == "/%2540");
  CHECK(decode_reserved("/a@b") == "/a@b");
  CHECK(doorward::http::has_reserved("/a@b"));
  CHECK(doorward::http::has_reserved("/a|b"));
  CHECK_FALSE(doorward::http::has_reserved("/a-b._~%20%40/;"));
}

TEST_CASE("target, split at the first question mark") {
  struct row {
    char const* target;
    char const* path;
    char const* query;
    bool has_query;
  };
  auto const r = GENERATE(values<row>({
      {"/a", "/a", "", false},
      {"/a?", "/a", "", true},
      {"/a?b=c", "/a", "b=c", true},
      {"/a?b?c", "/a", "b?c", true},
      {"?", "", "", true},
      {"", "", "", false},
  }));
  auto const parts = doorward::http::split_target(r.target);
  CHECK(parts.path == r.path);
  CHECK(parts.query == r.query);
  CHECK(parts.has_query == r.has_query);
}

TEST_CASE("query parameter") {
  struct row {
    std::string query;
    bool found;
    std::string value;
  };
  auto const r = GENERATE(values<row>({
      {"next=/a", true, "/a"},
      {"x=1&next=/a", true, "/a"},
      {"next=/a&next=/b", true, "/a"},
      {"next=a%2Fb+c%2B", true, "a/b c+"},
      {"next=a=b", true, "a=b"},
      {"next=", true, ""},
      {"next", true, ""},
      {"n%65xt=/a", true, "/a"},
      {"&&next=/a", true, "/a"},
      {"%zz=1&next=/a", true, "/a"},
      {"next=%252F", true, "%2F"},
      {"next=%zz", false, ""},
      {"next=%4", false, ""},
      {"next=%zz&next=/b", false, ""},
      {"nextt=/a", false, ""},
      {"Next=/a", false, ""},
      {"x=next=/a", false, ""},
      {"", false, ""},
      {"&", false, ""},
  }));
  CAPTURE(r.query);
  std::string value = "left over";
  CHECK(doorward::http::query_parameter(r.query, "next", value) == r.found);
  if (r.found) CHECK(value == r.value);
}

}  // namespace
