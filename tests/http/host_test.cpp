#include "doorward/http/host.hpp"

#include "catch.hpp"
#include "doorward/base/errc.hpp"

namespace {

using namespace std::string_literals;
using doorward::errc;
using doorward::http::host_covers;
using doorward::http::host_matches;
using doorward::http::normalise_host;

TEST_CASE("host, the name that routes are matched by") {
  struct row {
    std::string field;
    std::string name;
  };
  auto const r = GENERATE(values<row>({
      {"example.com", "example.com"},
      {"Example.COM", "example.com"},
      {"example.com:80", "example.com"},
      {"example.com:65535", "example.com"},
      {"example.com:", "example.com"},
      {"example.com.", "example.com"},
      {"example.com.:8080", "example.com"},
      {"localhost", "localhost"},
      {"my_app-1.internal", "my_app-1.internal"},
      {"xn--bcher-kva.example", "xn--bcher-kva.example"},
      {"127.0.0.1:3000", "127.0.0.1"},
      {"[::1]", "[::1]"},
      {"[::1]:8080", "[::1]"},
      {"[::1]:", "[::1]"},
      {"[0:0::0:1]", "[::1]"},
      {"[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]"},
      {"[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]"},
      {std::string(63, 'a') + ".b", std::string(63, 'a') + ".b"},
  }));
  CAPTURE(r.field);
  std::string name = "left over";
  REQUIRE(normalise_host(r.field, name).has_value());
  CHECK(name == r.name);
  // What comes out is its own normal form.
  REQUIRE(normalise_host(r.name, name).has_value());
  CHECK(name == r.name);
}

TEST_CASE("host, malformed") {
  auto const field = GENERATE(values<std::string>({
      "",
      ":80",
      ".",
      "..",
      ".example.com",
      "example..com",
      "example.com..",
      "user@example.com",
      "user:pw@example.com",
      "example.com:80:80",
      "example.com:0",
      "example.com:65536",
      "example.com:99999",
      "example.com:123456",
      "example.com:-1",
      "example.com:+1",
      "example.com:8o",
      "example.com: 80",
      "exa mple.com",
      " example.com",
      "example.com ",
      "example.com\t",
      "example.com,evil.com",
      "example.com/",
      "example.com/path",
      "example.com?x",
      "example.com#x",
      "example.com\\evil",
      "example%2ecom",
      "%65xample.com",
      "b\xc3\xbc"
      "cher.example",
      "example.com\0"s,
      "a\0b"s,
      "*.example.com",
      "http://example.com",
      "[]",
      "[::1",
      "::1",
      "[::1]x",
      "[::1]80",
      "[::1]:0",
      "[::1]:x",
      "[::1%25eth0]",
      "[::1%eth0]",
      "[v1.x]",
      "[:::1]",
      "[127.0.0.1]",
      "[1:2:3:4:5:6:7:8:9]",
      "[::1\0]"s,
      "[" + std::string(300, '1') + "]",
      std::string(64, 'a') + ".b",
      "a." + std::string(252, 'b'),
  }));
  CAPTURE(field);
  std::string name;
  auto const r = normalise_host(field, name);
  REQUIRE(r.has_error());
  CHECK(r.error() == errc::bad_request);
}

TEST_CASE("host, longest name") {
  std::string name;
  std::string const label(49, 'a');
  auto const longest = label + "." + label + "." + label + "." + label + "." + label + ".abc";  // 253
  REQUIRE(longest.size() == 253);
  CHECK(normalise_host(longest + ".:443", name).has_value());
  CHECK(normalise_host(longest + "d", name).has_error());
}

TEST_CASE("host pattern, which hosts match") {
  struct row {
    char const* pattern;
    char const* host;
    bool matches;
  };
  auto const r = GENERATE(values<row>({
      {"", "example.com", true},
      {"example.com", "example.com", true},
      {"example.com", "a.example.com", false},
      {"*.example.com", "a.example.com", true},
      {"*.example.com", "a.b.example.com", true},
      {"*.example.com", "example.com", false},
      {"*.example.com", "badexample.com", false},
      {"*.example.com", "a.example.com.evil.com", false},
      {"[::1]", "[::1]", true},
  }));
  CAPTURE(r.pattern, r.host);
  CHECK(host_matches(r.pattern, r.host) == r.matches);
}

TEST_CASE("host pattern, one covers another") {
  struct row {
    char const* a;
    char const* b;
    bool covers;
  };
  auto const r = GENERATE(values<row>({
      {"", "", true},
      {"", "a.example", true},
      {"", "*.example", true},
      {"a.example", "", false},
      {"*.example", "", false},
      {"a.example", "a.example", true},
      {"a.example", "b.example", false},
      {"*.example", "a.example", true},
      {"*.example", "example", false},
      {"*.example", "*.example", true},
      {"*.example", "*.a.example", true},
      {"*.a.example", "*.example", false},
      {"a.example", "*.example", false},
      {"*.example", "*.badexample", false},
  }));
  CAPTURE(r.a, r.b);
  CHECK(host_covers(r.a, r.b) == r.covers);
}

}  // namespace
