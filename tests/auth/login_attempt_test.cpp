#include "doorward/auth/login_attempt.hpp"

#include <fmt/format.h>

#include "catch.hpp"
#include "doorward/base/errc.hpp"

using namespace doorward;
using namespace doorward::auth;

namespace {

constexpr char form[] = "application/x-www-form-urlencoded";
constexpr char json[] = "application/json";

std::string name_in(std::string_view type, std::string_view body, std::string_view query = "") {
  auto const r = find_login_user(type, query, body, "username");
  if (!r) return std::string(about(to_errc(r.error())).reason);
  if (!r->readable) return r->name ? "unreadable '" + *r->name + "'" : "unreadable";
  return r->name ? "'" + *r->name + "'" : "nobody";
}

}  // namespace

TEST_CASE("the name in the body of a login") {
  struct row {
    char const* type;
    std::string body;
    char const* expected;
  };
  for (auto const& [type, body, expected] : std::vector<row>{
           {form, "username=alice&password=x", "'alice'"},
           {form, "password=x&username=alice", "'alice'"},
           {"Application/X-WWW-Form-Urlencoded; charset=utf-8", "username=alice", "'alice'"},
           {form, "user%6eame=al+ice%40x", "'al ice@x'"},
           {form, "username=", "''"},
           {form, "username", "''"},
           {form, "username=alice&username=alice", "'alice'"},
           {form, "username=alice&username=bob", "bad_request"},
           {form, "xusername=alice", "nobody"},
           {form, "", "nobody"},
           {form, R"({"username":"alice"})", "'alice'"},
           {form, "UserName=%0a%20Alice%7f", "'alice'"},
           {form, "username=Alice&+username+=alice", "'alice'"},
           {form, "x=1;username=alice", "'alice'"},
           {form, "username=z&+username=alice", "bad_request"},
           {form, "username=%zz", "'%zz'"},
           {form, std::string("username=a\0b", 12), "bad_request"},
           {json, R"({"username":"alice","password":"x"})", "'alice'"},
           {json, R"({"password":"x","username":"al\u0069ce"})", "'alice'"},
           {json, R"({"username":42})", "'42'"},
           {json, R"({"username":-42})", "'-42'"},
           {json, R"({"username":"alice","username":"bob"})", "bad_request"},
           {json, R"({"username":"z","USERNAME":"alice"})", "bad_request"},
           {json, "\xef\xbb\xbf {\"username\":\"alice\"}", "'alice'"},
           {"text/plain", R"({"username":"alice"})", "'alice'"},
           {json, R"({"a":{"username":"bob"},"username":"alice"})", "'alice'"},
           {json, R"([{"username":"bob"}])", "nobody"},
           {json, R"({"username":["alice"]})", "nobody"},
           {json, R"({"username":null})", "nobody"},
           {json, R"({"username":"alice", oops)", "'alice'"},
           {json, "username=alice", "'alice'"},
           {"multipart/form-data; boundary=x", "username=alice", "nobody"},
           {"multipart/form-data; boundary=x",
            "--x\r\nContent-Disposition: form-data; filename=username; name=\"UserName\"\r\n\r\nAlice\r\n--x--\r\n",
            "'alice'"},
           {"multipart/form-data; boundary=x",
            "--x\r\nContent-Disposition: form-data; name=username\r\n\r\nalice\r\n--x--", "'alice'"},
           {"multipart/form-data; boundary=x", "; name=\"username", "''"},
           {"", "username=alice", "'alice'"},
           {"application/octet-stream", "abc", "unreadable"},
           {"application/xml", "username=alice", "unreadable 'alice'"},
       }) {
    CAPTURE(type, body);
    CHECK(name_in(type, body) == expected);
  }
}

TEST_CASE("the query names somebody too, and has to agree") {
  CHECK(name_in(form, "password=x", "next=/&username=alice") == "'alice'");
  CHECK(name_in(form, "username=alice", "username=Alice") == "'alice'");
  CHECK(name_in(form, "username=alice", "username=bob") == "bad_request");
}

TEST_CASE("no field is asked for, nobody is named") {
  auto const r = find_login_user(form, "", "=alice&username=bob", "");
  REQUIRE(r.has_value());
  CHECK(!r->name);
}

TEST_CASE("a body of nothing but brackets is no burden") {
  CHECK(name_in(json, std::string(64 * 1024, '[')) == "nobody");
}

TEST_CASE("addresses of one client have one key") {
  login_keys const k;
  CHECK(k.address("192.0.2.1") == k.address("192.0.2.1"));
  CHECK(k.address("192.0.2.1") == k.address("::ffff:192.0.2.1"));
  CHECK(k.address("192.0.2.1") == k.address("::ffff:c000:201"));
  CHECK(k.address("2001:db8::1") == k.address("2001:0db8:0:0:ffff::2"));
  CHECK(k.address("192.0.2.1") != k.address("192.0.2.2"));
  CHECK(k.address("2001:db8::1") != k.address("2001:db8:0:1::1"));
  CHECK(k.address("fe80::1%eth0") != k.address("fe80::2%eth0"));
}

TEST_CASE("spellings of one user have one key, which is not that of an address") {
  login_keys const k;
  CHECK(k.user("Alice") == k.user(" alice\t"));
  CHECK(k.user("alice") != k.user("bob"));
  CHECK(k.user("192.0.2.1") != k.address("192.0.2.1"));
}

TEST_CASE("keys are not the same in another process") {
  CHECK(login_keys().user("alice") != login_keys().user("alice"));
}
