#include "doorward/http/cookies.hpp"

#include <vector>

#include "catch.hpp"

namespace {

using doorward::http::append_without_cookie;
using doorward::http::find_session_cookies;
using doorward::http::is_session_id;
using doorward::http::session_cookies;
using doorward::http::sets_cookie;

std::string const a(43, 'A');
std::string const b(43, 'B');

TEST_CASE("session id, alphabet and length") {
  CHECK(is_session_id(std::string(16, 'a')));
  CHECK(is_session_id(std::string(256, 'a')));
  CHECK(is_session_id("azAZ09._~-azAZ09"));
  CHECK_FALSE(is_session_id(""));
  CHECK_FALSE(is_session_id(std::string(15, 'a')));
  CHECK_FALSE(is_session_id(std::string(257, 'a')));
  for (int c = 0; c < 256; ++c) {
    auto const byte = static_cast<char>(c);
    bool const allowed = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
                         byte == '.' || byte == '_' || byte == '~' || byte == '-';
    CAPTURE(c);
    CHECK(is_session_id(std::string(20, 'x') + byte) == allowed);
  }
}

TEST_CASE("cookies, ours among others") {
  struct row {
    std::string field;
    std::vector<std::string> ids;
    bool present;
  };
  auto const r = GENERATE(values<row>({
      {"", {}, false},
      {"sid=" + a, {a}, true},
      {"x=1; sid=" + a, {a}, true},
      {"x=1;sid=" + a + ";y=2", {a}, true},
      {"x=1;\t sid \t= \t" + a + " ; y=2", {a}, true},
      {"sid=\"" + a + "\"", {a}, true},
      {"sid=\"" + a, {}, true},
      {"sid=" + a + "\"", {}, true},
      {"sid=", {}, true},
      {"sid=\"", {}, true},
      {"sid=short", {}, true},
      {"sid=" + a + "=", {}, true},
      {"sid=" + a + " " + b, {}, true},
      {"sid=" + a + "," + b, {}, true},
      {"sid", {}, false},
      {"SID=" + a, {}, false},
      {"xsid=" + a, {}, false},
      {"sidx=" + a, {}, false},
      {"x=sid=" + a, {}, false},
      {"=sid=" + a, {}, false},
      {"s id=" + a, {}, false},
      {";;; sid=" + a + ";;", {a}, true},
      {"sid=" + a + "; sid=" + b, {a, b}, true},
      {"sid=" + a + "; sid=" + a, {a}, true},
      {"sid=short; sid=" + a, {a}, true},
      {"x=\"; sid=" + a + "; \"", {a}, true},
  }));
  CAPTURE(r.field);
  session_cookies found;
  find_session_cookies(r.field, "sid", {}, found);
  CHECK(std::vector<std::string>(found.ids.begin(), found.ids.begin() + static_cast<std::ptrdiff_t>(found.count)) ==
        r.ids);
  CHECK(found.present == r.present);
  if (r.present && r.ids.empty()) CHECK(found.trouble == doorward::http::signature_trouble::malformed);
}

TEST_CASE("cookies, several fields of one request") {
  session_cookies found;
  std::string const first = "x=1; sid=" + a;
  std::string const second = "sid=" + b + "; sid=" + a;
  find_session_cookies(first, "sid", {}, found);
  find_session_cookies(second, "sid", {}, found);
  CHECK(found.count == 2);
  CHECK(found.ids[0] == a);
  CHECK(found.ids[1] == b);
}

TEST_CASE("cookies, whether all of ours have the same value") {
  struct row {
    std::vector<std::string> fields;
    bool several;
  };
  auto const [fields, several] = GENERATE(values<row>({
      {{}, false},
      {{"x=1"}, false},
      {{"sid=" + a}, false},
      {{"sid=" + a + "; x=1; sid=\"" + a + '"'}, false},
      {{"sid=" + a, "sid=" + a}, false},
      {{"sid=" + a + "; sid=" + b}, true},
      {{"sid=" + a + "; sid="}, true},
      {{"sid=; sid=" + a}, true},
      {{"sid=%61; x=1", "sid=" + a}, true},
  }));
  session_cookies found;
  for (auto const& f : fields)
    find_session_cookies(f, "sid", {}, found);
  CHECK(found.several == several);
}

TEST_CASE("cookies, more values than are looked at") {
  std::string field;
  for (char c = 'a'; c < 'k'; ++c)
    field += "sid=" + std::string(20, c) + "; ";
  session_cookies found;
  find_session_cookies(field, "sid", {}, found);
  CHECK(found.count == session_cookies::most);
  CHECK(found.ids[3] == std::string(20, 'd'));
  CHECK(found.too_many);
}

TEST_CASE("cookies, all but ours go on byte for byte") {
  struct row {
    char const* field;
    char const* rest;  // nullptr = nothing remains
  };
  auto const r = GENERATE(values<row>({
      {"x=1", "x=1"},
      {"x=1; y=2", "x=1; y=2"},
      {"x=1;y=2", "x=1;y=2"},
      {"sid=1", nullptr},
      {"sid=1;", nullptr},
      {" sid=1 ; ; ", nullptr},
      {"sid=1; sid=2", nullptr},
      {"", nullptr},
      {"sid=1; x=1", "x=1"},
      {"sid=1;x=1", "x=1"},
      {"x=1; sid=1", "x=1"},
      {"x=1; sid=1; y=2", "x=1; y=2"},
      {"x=1;sid=1;y=2", "x=1;y=2"},
      {"x=1;  sid=1;  y=2", "x=1;  y=2"},
      {"sid=1; x=\"a b\"; sid=2; y==; z", "x=\"a b\"; y==; z"},
      {"x=1; sid =1; y=2", "x=1; y=2"},
      {"x=1; sid=\"1\"; y=2", "x=1; y=2"},
      {"x=1; Sid=1", "x=1; Sid=1"},
      {"x=1; sidx=1; xsid=2", "x=1; sidx=1; xsid=2"},
      {"x=sid=1", "x=sid=1"},
  }));
  CAPTURE(r.field);
  std::string out = "kept|";
  CHECK(append_without_cookie(out, r.field, "sid") == (r.rest != nullptr));
  CHECK(out == "kept|" + std::string(r.rest ? r.rest : ""));
}

TEST_CASE("set-cookie, ours or somebody else's") {
  struct row {
    char const* field;
    bool ours;
  };
  auto const r = GENERATE(values<row>({
      {"sid=1", true},
      {"sid=1; Path=/; HttpOnly", true},
      {" \tsid \t= 1", true},
      {"sid=", true},
      {"sid=;Max-Age=0", true},
      {"=sid=1", true},
      {" = sid=1; Path=/", true},
      {"sid", false},
      {"Sid=1", false},
      {"sidx=1", false},
      {"xsid=1", false},
      {"x=sid=1", false},
      {"x=1; sid=2", false},
      {"=x; sid=2", false},
      {"==sid=1", false},
      {"", false},
      {";sid=1", false},
  }));
  CAPTURE(r.field);
  CHECK(sets_cookie(r.field, "sid") == r.ours);
}

}  // namespace

TEST_CASE("whether a Set-Cookie takes the cookie away") {
  for (auto const* ends : {"sid=; Path=/", "sid", "sid=\"\"", "sid=abc; Max-Age=0", "sid=abc; path=/; max-age = 0",
                           "sid=abc; Max-Age=-1", "sid=abc; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}) {
    CAPTURE(ends);
    CHECK(doorward::http::ends_cookie(ends));
  }
  for (auto const* stays : {"sid=abc", "sid=abc; Max-Age=10", "sid=abc; Expires=Thu, 01 Jan 2970 00:00:00 GMT",
                            "sid=abc; Path=/; HttpOnly", "sid=1970"}) {
    CAPTURE(stays);
    CHECK_FALSE(doorward::http::ends_cookie(stays));
  }
}
