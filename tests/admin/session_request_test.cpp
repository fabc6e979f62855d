#include "admin/session_request.hpp"

#include <nlohmann/json.hpp>

#include "catch.hpp"

using namespace doorward;
using namespace doorward::admin;

namespace {

std::string const token = "0123456789abcdefTOKEN";
std::string const bearer = "Bearer " + token;

std::variant<session_wish, response> ask(std::string const& method, std::string const& target,
                                         std::string const& authorization = bearer,
                                         std::string const& configured = token) {
  return read_session_request({method, target, authorization}, redacted{configured});
}

response refusal(std::variant<session_wish, response> const& r) {
  REQUIRE(std::holds_alternative<response>(r));
  return std::get<response>(r);
}

}  // namespace

TEST_CASE("which targets are about sessions") {
  struct row {
    std::string target;
    bool yes;
  };
  auto const [target, yes] = GENERATE(values<row>({{"/sessions", true},
                                                   {"/sessions?user=1", true},
                                                   {"/sessions/", true},
                                                   {"/sessions/abc?user=1", true},
                                                   {"/session", false},
                                                   {"/sessionsx", false},
                                                   {"/sessions%2f", false},
                                                   {"/livez?/sessions", false},
                                                   {"//sessions", false},
                                                   {"", false}}));
  CAPTURE(target);
  CHECK(is_about_sessions(target) == yes);
}

TEST_CASE("what is wished") {
  using kind = session_wish::kind;
  struct row {
    std::string method, target;
    kind what;
    std::string user, handle;
  };
  std::string const handle = "abcdefghij-_0123456789";
  auto const r = GENERATE_COPY(values<row>({
      {"GET", "/sessions?user=42", kind::list, "42", ""},
      {"HEAD", "/sessions?user=42", kind::list, "42", ""},
      {"GET", "/sessions/" + handle + "?user=42", kind::show, "42", handle},
      {"DELETE", "/sessions?user=42", kind::end_all, "42", ""},
      {"DELETE", "/sessions/" + handle + "?user=42", kind::end_one, "42", handle},
      {"GET", "/sessions?user=a%2Bb%40example.org%26x", kind::list, "a+b@example.org&x", ""},
      {"GET", "/sessions?user=a=b?c", kind::list, "a=b?c", ""},
      {"GET", "/sessions?user=%c3%a4%00", kind::list, std::string("\xc3\xa4\0", 3), ""},
  }));
  CAPTURE(r.method, r.target);
  auto const read = ask(r.method, r.target);
  REQUIRE(std::holds_alternative<session_wish>(read));
  auto const& wish = std::get<session_wish>(read);
  CHECK(wish.what == r.what);
  CHECK(wish.user == r.user);
  CHECK(wish.handle == r.handle);
}

TEST_CASE("what cannot be wished") {
  struct row {
    std::string method, target;
    unsigned status;
    std::string code;
  };
  auto const r = GENERATE(values<row>({
      {"GET", "/sessions", 400, "bad_request"},
      {"GET", "/sessions?", 400, "bad_request"},
      {"GET", "/sessions?user=", 400, "bad_request"},
      {"GET", "/sessions?user", 400, "bad_request"},
      {"GET", "/sessions?User=42", 400, "bad_request"},
      {"DELETE", "/sessions?user=42&handle=x", 400, "bad_request"},
      {"DELETE", "/sessions?x=1&user=42", 400, "bad_request"},
      {"DELETE", "/sessions?user=42&user=43", 400, "bad_request"},
      {"DELETE", "/sessions?user=anna+test", 400, "bad_request"},
      {"DELETE", "/sessions?user=%4", 400, "bad_request"},
      {"DELETE", "/sessions?user=%zz", 400, "bad_request"},
      {"DELETE", "/sessions/?user=42", 404, "not_found"},
      {"GET", "/sessions/abc?user=42", 404, "not_found"},
      {"GET", "/sessions/abcdefghij-_01234567.9?user=42", 404, "not_found"},
      {"GET", "/sessions/abcdefghij/0123456789x?user=42", 404, "not_found"},
      {"POST", "/sessions?user=42", 405, "method_not_allowed"},
      {"delete", "/sessions?user=42", 405, "method_not_allowed"},
  }));
  CAPTURE(r.method, r.target);
  auto const refused = refusal(ask(r.method, r.target));
  CHECK(refused.status == r.status);
  CHECK(refused.type == "application/problem+json");
  CHECK(refused.allow == (r.status == 405 ? "GET, HEAD, DELETE" : ""));
  auto const body = nlohmann::json::parse(refused.body);
  CHECK(body.at("code") == r.code);
  CHECK(body.at("type") == "urn:doorward:" + r.code);
  CHECK(body.at("status") == r.status);
}

TEST_CASE("who presents no token, or another, learns nothing") {
  auto const authorization = GENERATE_COPY(values<std::string>({
      "",
      "Bearer",
      "Bearer ",
      "Basic " + token,
      token,
      "Bearer " + token + "x",
      "Bearer " + token.substr(1),
      "Bearer 0123456789ABCDEFtoken",
      "Bearer " + token + ", Bearer x",
      "Bearer\t" + token,
  }));
  auto const [method, target] =
      GENERATE(table<std::string, std::string>({{"GET", "/sessions?user=42"}, {"POST", "/sessions/nothing"}}));
  CAPTURE(authorization, method);
  auto const refused = refusal(ask(method, target, authorization));
  CHECK(refused.status == 401);
  CHECK(refused.challenge.starts_with("Bearer realm="));
  CHECK((refused.challenge.find("invalid_token") != std::string_view::npos) == !authorization.empty());
  CHECK(refused.allow.empty());
  CHECK(nlohmann::json::parse(refused.body).at("code") == "unauthorized");
}

TEST_CASE("the token is there, however its scheme is written") {
  auto const scheme = GENERATE(values<std::string>({"Bearer ", "bearer ", "BEARER   "}));
  CHECK(std::holds_alternative<session_wish>(ask("GET", "/sessions?user=42", scheme + token)));
}

TEST_CASE("without a token in the configuration nobody is let in, with an empty one neither") {
  for (auto const* authorization : {"", "Bearer ", "Bearer x"}) {
    auto const refused = refusal(ask("GET", "/sessions?user=42", authorization, ""));
    CHECK(refused.status == 403);
    CHECK(refused.body.find("admin.token") != std::string::npos);
  }
}
