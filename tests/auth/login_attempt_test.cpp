#include "doorward/auth/login_attempt.hpp"

#include <fmt/format.h>

#include "catch.hpp"
#include "doorward/base/errc.hpp"

using namespace doorward;
using namespace doorward::auth;

namespace {

constexpr char form[] = "application/x-www-form-urlencoded";
constexpr char json[] = "application/json";

std::string name_in(std::string_view type, std::string_view body) {
  auto const r = login_name(type, body, "username");
  if (!r) return std::string(about(to_errc(r.error())).reason);
  return *r ? "'" + **r + "'" : "nobody";
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
           {form, "username=%zz", "nobody"},
           {form, "", "nobody"},
           {form, R"({"username":"alice"})", "nobody"},
           {json, R"({"username":"alice","password":"x"})", "'alice'"},
           {json, R"({"password":"x","username":"al\u0069ce"})", "'alice'"},
           {json, R"({"username":42})", "'42'"},
           {json, R"({"username":-42})", "'-42'"},
           {json, R"({"username":"alice","username":"bob"})", "bad_request"},
           {json, R"({"a":{"username":"bob"},"username":"alice"})", "'alice'"},
           {json, R"([{"username":"bob"}])", "nobody"},
           {json, R"({"username":["alice"]})", "nobody"},
           {json, R"({"username":null})", "nobody"},
           {json, R"({"username":"alice", oops)", "'alice'"},
           {json, "username=alice", "nobody"},
           {"multipart/form-data; boundary=x", "username=alice", "nobody"},
           {"", "username=alice", "nobody"},
       }) {
    CAPTURE(type, body);
    CHECK(name_in(type, body) == expected);
  }
}

TEST_CASE("no field is asked for, nobody is named") {
  auto const r = login_name(form, "=alice&username=bob", "");
  REQUIRE(r.has_value());
  CHECK(!r->has_value());
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
  CHECK(k.address("_hidden") != k.address("_other"));
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
