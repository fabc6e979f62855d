#include <string>

#include "catch.hpp"
#include "doorward/http/target.hpp"

namespace {

using namespace std::string_literals;
using doorward::http::is_local_return_path;

TEST_CASE("return path, one that stays on this origin") {
  auto const next = GENERATE(values<std::string>({
      "/",
      "/a",
      "/a/b/",
      "/a?b=c&d",
      "/a#b",
      "/?x=//evil.example",
      "/?x=https://evil.example/..",
      "/?p=/../x",
      "/a//b",
      "/a;jsessionid=1",
      "/projects/a%2Fb",
      "/caf%C3%A9?q=%C3%BC+%26",
      "/100%25",
      "/a?q=100%25",
      "/a%20b",
      "/@user",
      "/:80/",
      "/.well-known/x",
      "/...",
      "/a.b/..c",
      "/https://evil.example",
      "/%68ttp:evil.example",
      "/" + std::string(2047, 'a'),
  }));
  CAPTURE(next);
  CHECK(is_local_return_path(next));
}

TEST_CASE("return path, one that leaves or could be made to") {
  auto const next = GENERATE(values<std::string>({
      // no path at all
      "",
      "a",
      "?a",
      "#a",
      ".",
      "..",
      "../a",
      "./a",
      " /a",
      "@evil.example",
      ".evil.example",
      ":80",
      // other origins
      "https://evil.example/",
      "HTTPS://evil.example/",
      "http:evil.example",
      "https:/evil.example",
      "javascript:alert(1)",
      "JaVaScRiPt:alert(1)",
      "data:text/html,x",
      "vbscript:x",
      "//evil.example",
      "//evil.example/%2f..",
      "///evil.example",
      "////evil.example",
      "//",
      "//user@evil.example",
      "//[::1]/",
      // backslashes, which browsers take for slashes
      "\\evil.example",
      "\\\\evil.example",
      "/\\evil.example",
      "\\/evil.example",
      "/\\/evil.example",
      "/a\\b",
      "/%5Cevil.example",
      "/%5cevil.example",
      "/a?b=\\",
      "/a?b=%5c",
      // bytes that browsers drop
      "/\t/evil.example",
      "/\n/evil.example",
      "/\r/evil.example",
      "\t//evil.example",
      "/%09/evil.example",
      "/%0a/evil.example",
      "/%0D/evil.example",
      "/%0d%0aLocation:%20https://evil.example",
      "/a%00",
      "/\0/evil.example"s,
      "/a\x7f",
      "/%7f",
      "/a?b=%0d%0aSet-Cookie:x",
      "/ /evil.example",
      "/a b",
      // escaped once
      "/%2Fevil.example",
      "/%2fevil.example",
      "/%2f%2fevil.example",
      "%2f%2fevil.example",
      "%2fa",
      "/%2f%5cevil.example",
      // escaped twice
      "/%252Fevil.example",
      "/%252fevil.example",
      "/%255Cevil.example",
      "/%255cevil.example",
      "/%2509/evil.example",
      "/%250d%250aX",
      "/%2500",
      "/%25%32%66evil.example",
      "/%25%35%63evil.example",
      "/%2%66evil.example",
      // half broken
      "/%5c%25",
      "/%255c%25",
      "/%",
      "/a%2",
      "/a%zz",
      "/a?b=%",
      "/%u002fevil.example",
      // dot segments that bring "//" in front
      "/.//evil.example",
      "/..//evil.example",
      "/a/..//evil.example",
      "/a/../..//evil.example",
      "/./",
      "/..",
      "/a/.",
      "/%2e/%2fevil.example",
      "/%2e%2e//evil.example",
      "/a/%2e%2e%2f%2fevil.example",
      "/a%2f..%2f%2fevil.example",
      "/%252e%252e//evil.example",
      "/..%2f/evil.example",
      "/..%3f",
      "/.%23",
      // not for a header field
      "/caf\xc3\xa9",
      "/\xe2\x80\xae",
      "/\xef\xbc\x8f"
      "evil.example",
      // too long
      "/" + std::string(2048, 'a'),
  }));
  CAPTURE(next);
  CHECK_FALSE(is_local_return_path(next));
}

}  // namespace
