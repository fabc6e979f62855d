#include "doorward/pipeline/answer.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "catch.hpp"
#include "doorward/base/encoding.hpp"

using namespace doorward;
using namespace doorward::pipeline;

namespace {

/// An answer taken apart as a client would. Names in lower case; a header that comes twice is joined by '|'.
struct parsed {
  unsigned status = 0;
  std::string phrase;
  std::map<std::string, std::string> headers;
  std::string body;

  [[nodiscard]] std::string header(std::string const& name) const {
    auto const at = headers.find(name);
    return at == headers.end() ? "(none)" : at->second;
  }
};

parsed parse(std::string const& text) {
  parsed p;
  auto const end = text.find("\r\n\r\n");
  REQUIRE(end != std::string::npos);
  p.body = text.substr(end + 4);
  auto const head = text.substr(0, end + 2);
  REQUIRE(head.starts_with("HTTP/1.1 "));
  p.status = static_cast<unsigned>(std::stoul(head.substr(9, 3)));
  auto line_end = head.find("\r\n");
  p.phrase = head.substr(13, line_end - 13);
  for (auto from = line_end + 2; from < head.size(); from = line_end + 2) {
    line_end = head.find("\r\n", from);
    auto const line = head.substr(from, line_end - from);
    REQUIRE(line.find_first_of("\r\n") == std::string::npos);
    auto const colon = line.find(": ");
    REQUIRE(colon != std::string::npos);
    auto name = line.substr(0, colon);
    std::ranges::transform(name, name.begin(), [](char x) { return to_lower(x); });
    auto& value = p.headers[name];
    value += (value.empty() ? "" : "|") + line.substr(colon + 2);
  }
  return p;
}

std::vector<errc> every_errc() {
  std::vector<errc> all;
  for (int i = 1; i <= static_cast<int>(errc::internal); ++i)
    all.push_back(static_cast<errc>(i));
  return all;
}

answer_context context() {
  answer_context c;
  c.request_id = "0123456789abcdef0123456789abcdef";
  c.date = "Wed, 01 May 2024 12:00:00 GMT";
  return c;
}

parsed refuse(errc why, bool is_navigation, answer_context const& c = context()) {
  std::string out;
  refusal r;
  r.why = why;
  r.is_navigation = is_navigation;
  r.login_link = "/login?next=/a%3Fb";
  r.retry_after = 3;
  r.allow = "GET, HEAD";
  append_refusal(out, c, r);
  return parse(out);
}

std::size_t occurrences(std::string const& text, std::string const& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size()))
    ++n;
  return n;
}

}  // namespace

TEST_CASE("every refusal as JSON says what, why and which request") {
  for (auto const why : every_errc()) {
    auto const& a = about(why);
    CAPTURE(std::string(a.reason));
    auto const p = refuse(why, false);
    CHECK(p.status == a.status);
    CHECK(p.phrase != "Unknown");
    CHECK(p.header("content-type") == "application/problem+json");
    CHECK(p.header("content-length") == std::to_string(p.body.size()));
    auto const json = nlohmann::json::parse(p.body);
    CHECK(json.at("type") == "urn:doorward:" + std::string(a.code));
    CHECK(json.at("title") == p.phrase);
    CHECK(json.at("status") == a.status);
    CHECK(json.at("detail") == std::string(a.text));
    CHECK(json.at("code") == std::string(a.code));
    CHECK(json.at("request_id") == "0123456789abcdef0123456789abcdef");
    CHECK(json.size() == 6);
  }
}

TEST_CASE("every refusal as a page says what, why and which request") {
  for (auto const why : every_errc()) {
    auto const& a = about(why);
    CAPTURE(std::string(a.reason));
    auto const p = refuse(why, true);
    CHECK(p.status == a.status);
    CHECK(p.header("content-type") == "text/html; charset=utf-8");
    CHECK(p.header("content-length") == std::to_string(p.body.size()));
    CHECK(p.body.find("<p>" + std::string(a.text) + "</p>") != std::string::npos);
    CHECK(p.body.find(std::to_string(a.status) + " &middot; " + std::string(a.code) +
                      " &middot; 0123456789abcdef0123456789abcdef") != std::string::npos);
    CHECK(occurrences(p.body, "<h1>") == 1);
    CHECK(occurrences(p.body, "<title>") == 1);
    CHECK(p.body.find("<script") == std::string::npos);
    CHECK(p.body.find("http") == std::string::npos);  // nothing is loaded from anywhere
    CHECK((p.body.find(">Log in</a>") != std::string::npos) == (a.status == 401));
  }
}

TEST_CASE("the headers that every refusal has") {
  auto const is_navigation = GENERATE(false, true);
  for (auto const why : every_errc()) {
    auto const& a = about(why);
    CAPTURE(std::string(a.reason));
    auto const p = refuse(why, is_navigation);
    CHECK(p.header("cache-control") == "no-store");
    CHECK(p.header("x-content-type-options") == "nosniff");
    CHECK(p.header("x-request-id") == "0123456789abcdef0123456789abcdef");
    CHECK(p.header("date") == "Wed, 01 May 2024 12:00:00 GMT");
    CHECK(p.header("www-authenticate") == (a.status == 401 ? "Session" : "(none)"));
    CHECK(p.header("retry-after") == (a.status == 503 || a.status == 429 ? "3" : "(none)"));
    CHECK(p.header("allow") == (a.status == 405 ? "GET, HEAD" : "(none)"));
    CHECK(p.header("connection") == (a.close ? "close" : "(none)"));
    CHECK(p.header("set-cookie") == "(none)");
    CHECK(p.header("location") == "(none)");
  }
}

TEST_CASE("HEAD gets the head of the same answer, and no body") {
  auto const is_navigation = GENERATE(false, true);
  auto const get = refuse(errc::no_session, is_navigation);
  auto c = context();
  c.head = true;
  auto const head = refuse(errc::no_session, is_navigation, c);
  CHECK(head.body.empty());
  CHECK(head.headers == get.headers);
  CHECK(head.header("content-length") == std::to_string(get.body.size()));
}

TEST_CASE("what becomes of the connection") {
  auto c = context();
  CHECK(refuse(errc::forbidden, false, c).header("connection") == "(none)");
  c.http10 = true;
  CHECK(refuse(errc::forbidden, false, c).header("connection") == "keep-alive");
  CHECK(refuse(errc::bad_request, false, c).header("connection") == "close");
  c.close = true;
  CHECK(refuse(errc::forbidden, false, c).header("connection") == "close");
}

TEST_CASE("a cookie comes along") {
  auto c = context();
  c.set_cookie = "sid=; Path=/; Max-Age=0; HttpOnly";
  CHECK(refuse(errc::session_conflict, false, c).header("set-cookie") == "sid=; Path=/; Max-Age=0; HttpOnly");
}

TEST_CASE("text of the client's cannot leave the place it is put in") {
  auto c = context();
  c.request_id = R"("><script>alert('1')</script>&\)";
  std::string out;
  refusal r;
  r.why = errc::no_session;
  r.is_navigation = true;
  r.login_link = R"(/login?next="><img src=x onerror='y'>&amp;)";
  append_refusal(out, c, r);
  auto const page = parse(out).body;
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("<img") == std::string::npos);
  CHECK(page.find("&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;") != std::string::npos);
  CHECK(page.find("href=\"/login?next=&quot;&gt;&lt;img src=x onerror=&#39;y&#39;&gt;&amp;amp;\"") !=
        std::string::npos);

  auto const json = nlohmann::json::parse(refuse(errc::no_session, false, c).body);
  CHECK(json.at("request_id") == std::string(c.request_id));
}

TEST_CASE("a text with a line break in it does not get into a header") {
  auto c = context();
  c.request_id = "id\r\nX-Evil: 1";
  c.set_cookie = "a=b\nX-Evil: 2";
  c.date = std::string_view("now\0", 4);
  std::string out;
  append_redirect(out, c, 302, "/login\r\nX-Evil: 3");
  auto const p = parse(out);
  CHECK(p.header("x-evil") == "(none)");
  CHECK(p.header("location") == "(none)");
  CHECK(p.header("set-cookie") == "(none)");
  CHECK(p.header("x-request-id") == "(none)");
  CHECK(p.header("date") == "(none)");
}

TEST_CASE("the page may use its own style and nothing else") {
  auto const p = refuse(errc::forbidden, true);
  auto const begin = p.body.find("<style>") + 7;
  auto const style = p.body.substr(begin, p.body.find("</style>") - begin);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  REQUIRE(EVP_Digest(style.data(), style.size(), digest, &size, EVP_sha256(), nullptr) == 1);
  unsigned char base64[64];
  EVP_EncodeBlock(base64, digest, static_cast<int>(size));
  CHECK(p.header("content-security-policy") == "default-src 'none'; style-src 'sha256-" +
                                                   std::string(reinterpret_cast<char*>(base64)) +
                                                   "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  CHECK(p.body.find(" style=") == std::string::npos);  // an attribute would need 'unsafe-inline'
  CHECK(refuse(errc::forbidden, false).header("content-security-policy") == "(none)");
}

TEST_CASE("the page, whole") {
  auto const page = refuse(errc::no_session, true).body;
  auto const style_begin = page.find("<style>");
  auto const style_end = page.find("</style>");
  CHECK(page.substr(0, style_begin) + page.substr(style_end + 8) == R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>You are not logged in</title>

</head>
<body>
<main>
<h1>You are not logged in</h1>
<p>Please log in.</p>
<p><a href="/login?next=/a%3Fb">Log in</a></p>
<p><small>401 &middot; no_session &middot; 0123456789abcdef0123456789abcdef</small></p>
</main>
</body>
</html>
)");
}

TEST_CASE("what can be tried again has a link that does so") {
  CHECK(refuse(errc::store_timeout, true).body.find("<a href=\"\">Try again</a>") != std::string::npos);
  CHECK(refuse(errc::upstream_connect, true).body.find("<a href=\"\">Try again</a>") != std::string::npos);
  CHECK(refuse(errc::forbidden, true).body.find("<a ") == std::string::npos);
}

TEST_CASE("a page without a login link has no empty one") {
  std::string out;
  refusal r;
  r.why = errc::no_session;
  r.is_navigation = true;
  append_refusal(out, context(), r);
  CHECK(parse(out).body.find("<a ") == std::string::npos);
}

TEST_CASE("a redirect has a Location and an empty body") {
  auto const status = GENERATE(302u, 303u);
  std::string out;
  auto c = context();
  c.set_cookie = "sid=x";
  append_redirect(out, c, status, "/login?next=/a%3Fb");
  auto const p = parse(out);
  CHECK(p.status == status);
  CHECK(p.header("location") == "/login?next=/a%3Fb");
  CHECK(p.header("content-length") == "0");
  CHECK(p.header("content-type") == "(none)");
  CHECK(p.header("cache-control") == "no-store");
  CHECK(p.header("set-cookie") == "sid=x");
  CHECK(p.body.empty());
}

TEST_CASE("a fixed answer without a body") {
  struct row {
    unsigned status;
    std::string length;
  };
  auto const [status, length] = GENERATE(values<row>({{200, "0"}, {204, "(none)"}, {304, "(none)"}, {205, "0"}}));
  std::string out;
  append_status(out, context(), status);
  auto const p = parse(out);
  CHECK(p.status == status);
  CHECK(p.header("content-length") == length);
  CHECK(p.body.empty());
}

TEST_CASE("a fixed answer that refuses") {
  struct row {
    unsigned status;
    std::string code;
  };
  auto const [status, code] = GENERATE(values<row>({{404, "not_found"}, {410, "respond"}, {503, "respond"}}));
  std::string out;
  append_status(out, context(), status);
  auto const p = parse(out);
  CHECK(p.status == status);
  auto const json = nlohmann::json::parse(p.body);
  CHECK(json.at("code") == code);
  CHECK(json.at("status") == status);
  CHECK(json.at("request_id") == "0123456789abcdef0123456789abcdef");

  out.clear();
  append_status(out, context(), status, true);
  auto const page = parse(out);
  CHECK(page.status == status);
  CHECK(page.header("content-type") == "text/html; charset=utf-8");
  CHECK(page.header("content-length") == std::to_string(page.body.size()));
  CHECK(page.body.find(code) != std::string::npos);
}

TEST_CASE("a JSON answer carries what it is given") {
  std::string out = "left over from before";
  append_json(out, context(), 200, R"({"userId":"42"})");
  REQUIRE(out.starts_with("left over from before"));
  auto const p = parse(out.substr(21));
  CHECK(p.status == 200);
  CHECK(p.phrase == "OK");
  CHECK(p.header("content-type") == "application/json");
  CHECK(p.header("content-length") == "15");
  CHECK(p.header("cache-control") == "no-store");
  CHECK(p.body == R"({"userId":"42"})");
}
