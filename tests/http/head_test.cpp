#include "doorward/http/head.hpp"

#include <string>

#include "catch.hpp"
#include "doorward/base/errc.hpp"

namespace http = doorward::http;
using doorward::errc;
using namespace std::string_literals;

namespace {

http::head_limits const limits;

errc request_error(std::string const& bytes, http::request_head& head) {
  auto const r = http::parse_request_head(bytes, limits, head);
  return r ? errc{} : doorward::to_errc(r.error());
}

errc request_error(std::string const& bytes) {
  http::request_head head;
  return request_error(bytes, head);
}

bool response_is_good(std::string const& bytes, http::response_head& head, http::method m = http::method::get) {
  return http::parse_response_head(bytes, limits, m, head).has_value();
}

struct row {
  std::string why;  // with its RFC section
  std::string bytes;
};

}  // namespace

TEST_CASE("method, its name and back") {
  using doorward::http::method;
  for (auto const name : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"}) {
    CAPTURE(name);
    CHECK(doorward::http::method_of(name) != method::other);
    CHECK(doorward::http::to_string(doorward::http::method_of(name)) == name);
  }
  // What clients make up is one label.
  for (auto const name : {"get", "PROPFIND", "other", ""}) {
    CAPTURE(name);
    CHECK(doorward::http::to_string(doorward::http::method_of(name)) == "other");
  }
}

TEST_CASE("a request with two readings is refused") {
  std::string const get = "GET / HTTP/1.1\r\nHost: a\r\n";
  std::string const post = "POST / HTTP/1.1\r\nHost: a\r\n";
  auto const refused = std::vector<row>{
      {"9112 6.1: length and coding", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"9112 6.1: coding and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"},
      {"9112 6.1: length and another coding", post + "Content-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\n"},
      {"9112 6.1: chunked is not the only coding", post + "Transfer-Encoding: gzip, chunked\r\n\r\n"},
      {"9112 6.1: an empty coding", post + "Transfer-Encoding: ,chunked\r\n\r\n"},
      {"9112 7: chunked with a parameter", post + "Transfer-Encoding: chunked;q=1\r\n\r\n"},
      {"9112 6.1: a byte that looks like white space", post + "Transfer-Encoding: chunked\x85\r\n\r\n"},
      {"9112 6.1: chunked twice in a list", post + "Transfer-Encoding: chunked, chunked\r\n\r\n"},
      {"9112 6.1: two lines", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"9112 6.1: identity", post + "Transfer-Encoding: identity\r\n\r\n"},
      {"9112 6.1: an empty field", post + "Transfer-Encoding:\r\n\r\n"},
      {"9112 6.1: a coding in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"9112 6.3: two equal lengths", post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"},
      {"9112 6.3: two different lengths", post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"},
      {"9110 8.6: a list of lengths", post + "Content-Length: 5, 5\r\n\r\n"},
      {"9110 8.6: an empty length", post + "Content-Length:\r\n\r\n"},
      {"9110 8.6: a sign", post + "Content-Length: +5\r\n\r\n"},
      {"9110 8.6: a negative length", post + "Content-Length: -5\r\n\r\n"},
      {"9110 8.6: hexadecimal", post + "Content-Length: 0x5\r\n\r\n"},
      {"9110 8.6: too large for 64 bits", post + "Content-Length: 99999999999999999999\r\n\r\n"},
      {"9110 8.6: a fraction", post + "Content-Length: 5.0\r\n\r\n"},
      {"9112 3.2: no Host", "GET / HTTP/1.1\r\n\r\n"},
      {"9112 3.2: two Hosts", get + "Host: b\r\n\r\n"},
      {"9112 3.2: two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"},
      {"9112 5.2: a folded line", get + "X-Long: one\r\n two\r\n\r\n"},
      {"9112 5.2: a fold after an empty value", get + "X-Long:\r\n X-User-Id: evil\r\n\r\n"},
      {"9112 5.2: a fold by a tab", get + "X-Long:\r\n\tone\r\n\r\n"},
      {"9112 5.2: a fold of nothing", get + "X-Long: one\r\n \r\n\r\n"},
      {"9112 5.2: a folded Host", "GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n"},
      {"9112 5.1: a blank before the colon", get + "X-A : b\r\n\r\n"},
      {"9112 5.1: a blank before the name", get + " X-A: b\r\n\r\n"},
      {"9112 5: an empty name", get + ": b\r\n\r\n"},
      {"9112 5: no colon", get + "X-A\r\n\r\n"},
      {"9110 5.5: NUL in a value", get + "X-A: a"s + '\0' + "b\r\n\r\n"},
      {"9110 5.5: a bare CR in a value", get + "X-A: a\rb\r\n\r\n"},
      {"9110 5.5: a control in a value", get + "X-A: a\x01\r\n\r\n"},
      {"9110 5.1: a control in a name", get + "X\x01-A: b\r\n\r\n"},
      {"9110 5.1: a byte above ASCII in a name", get + "X-\xc3\xa9: b\r\n\r\n"},
      {"9112 3: no version", "GET /\r\nHost: a\r\n\r\n"},
      {"9112 2.3: another version", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"},
      {"9112 2.3: HTTP/2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
      {"9112 2.3: lower case", "GET / http/1.1\r\nHost: a\r\n\r\n"},
      {"9112 3: two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"9112 3: a tab", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"9112 3: a blank in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"9112 2.2: an empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"9110 9.3.6: CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"},
      {"9112 3.2.4: asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"9112 3.2: no leading slash", "GET evil HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"9112 3.2.2: another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"9112 3.2.2: user info", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"9112 3.2.2: no authority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"9112 3.2.2: no path", "GET http://a?x HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"9110 7.8: two Upgrade fields", get + "Upgrade: websocket\r\nUpgrade: h2c\r\n\r\n"},
  };
  for (auto const& r : refused) {
    INFO(r.why);
    CHECK(request_error(r.bytes) == errc::bad_request);
  }
}

TEST_CASE("an expectation other than 100-continue is refused") {
  CHECK(request_error("GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n") == errc::unsupported_expectation);
}

TEST_CASE("limits are told apart") {
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 100; ++i)
    many += "X-" + std::to_string(i) + ": 1\r\n";
  CHECK(request_error(many + "\r\n") == errc::too_many_headers);
  CHECK(request_error("GET /" + std::string(limits.target_bytes, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n") ==
        errc::target_too_long);
}

TEST_CASE("names of every length that once overflowed do not hide a length") {
  for (std::size_t n : {255u, 256u, 257u, 20'000u}) {
    http::request_head head;
    auto const bytes = "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(n, 'x') + ": 1\r\nContent-Length: 5\r\n\r\n";
    REQUIRE(request_error(bytes, head) == errc{});
    CHECK(head.body == http::framing::length);
    CHECK(head.content_length == 5);
  }
}

TEST_CASE("a plain request is read in place") {
  std::string const bytes =
      "POST /a/b?c=d HTTP/1.1\r\nHost: app.example.com\r\nCookie: sid=1\r\nX-Empty:\r\nContent-Length: 5\r\n\r\n";
  http::request_head head;
  REQUIRE(request_error(bytes, head) == errc{});
  CHECK(head.verb == http::method::post);
  CHECK(head.target == "/a/b?c=d");
  CHECK(head.host == "app.example.com");
  CHECK(head.keep_alive);
  CHECK(head.body == http::framing::length);
  REQUIRE(head.fields.size() == 4);
  CHECK(head.fields[1].id == http::field_id::cookie);
  CHECK(head.fields[2].value.empty());
  CHECK(head.raw_line(1) == "Cookie: sid=1\r\n");
  CHECK(head.raw_line(3) == "Content-Length: 5\r\n");
  CHECK(head.fields[0].value.data() >= bytes.data());
  CHECK(head.fields[0].value.data() < bytes.data() + bytes.size());
}

TEST_CASE("a head is empty again before it is filled again") {
  http::request_head head;
  std::string const first = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close, X-A\r\nContent-Length: 5\r\n\r\n";
  std::string const second = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";
  REQUIRE(request_error(first, head) == errc{});
  REQUIRE(request_error(second, head) == errc{});
  CHECK(head.fields.size() == 1);
  CHECK(head.body == http::framing::none);
  CHECK(head.keep_alive);
  CHECK_FALSE(head.connection_names_fields);
  CHECK(head.host == "b");
}

TEST_CASE("the authority of an absolute-form outranks Host") {
  http::request_head head;
  std::string const bytes = "GET http://real.example/a?b HTTP/1.1\r\nHost: other.example\r\n\r\n";
  REQUIRE(request_error(bytes, head) == errc{});
  CHECK(head.host == "real.example");
  CHECK(head.target == "/a?b");
}

TEST_CASE("what Connection says") {
  struct {
    std::string version;
    std::string value;
    bool keep_alive;
    bool upgrade;
    bool names;
  } const rows[]{
      {"1.1", "", true, false, false},           {"1.1", "close", false, false, false},
      {"1.1", "Keep-Alive", true, false, false}, {"1.1", "CLOSE, upgrade", false, true, false},
      {"1.1", "X-User-Id", true, false, true},   {"1.0", "", false, false, false},
      {"1.0", "keep-alive", true, false, false}, {"1.0", "keep-alive, close", false, false, false},
  };
  for (auto const& r : rows) {
    INFO(r.version << " " << r.value);
    http::request_head head;
    auto const line = r.value.empty() ? "" : "Connection: " + r.value + "\r\n";
    auto const bytes = "GET / HTTP/" + r.version + "\r\nHost: a\r\n" + line + "\r\n";
    REQUIRE(request_error(bytes, head) == errc{});
    CHECK(head.keep_alive == r.keep_alive);
    CHECK(head.connection_upgrade == r.upgrade);
    CHECK(head.connection_names_fields == r.names);
  }
}

TEST_CASE("the end of a head is found however it arrives") {
  std::string const head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  auto const bytes = head + "body";
  for (std::size_t split = 0; split <= bytes.size(); ++split) {
    std::size_t from = 0;
    auto const first = http::find_head_end(std::string_view(bytes).substr(0, split), from, limits);
    REQUIRE(first);
    if (split >= head.size()) {
      CHECK(*first == head.size());
      continue;
    }
    CHECK(*first == 0);
    auto const second = http::find_head_end(bytes, from, limits);
    REQUIRE(second);
    CHECK(*second == head.size());
  }
}

TEST_CASE("a bare LF is refused before the head is complete") {
  std::size_t from = 0;
  auto const r = http::find_head_end("GET / HTTP/1.1\nHost", from, limits);
  REQUIRE_FALSE(r);
  CHECK(r.error() == errc::bad_request);
}

TEST_CASE("a head that never ends is refused at its limit") {
  std::size_t from = 0;
  auto const line = http::find_head_end(std::string(limits.target_bytes + 40, 'a'), from, limits);
  REQUIRE_FALSE(line);
  CHECK(line.error() == errc::target_too_long);
  from = 0;
  auto const long_head = "GET / HTTP/1.1\r\nX: " + std::string(limits.header_bytes, 'a');
  auto const head = http::find_head_end(long_head, from, limits);
  REQUIRE_FALSE(head);
  CHECK(head.error() == errc::header_too_large);
}

TEST_CASE("a first line that is too long is so in however many pieces it comes") {
  auto const line = std::string(limits.target_bytes + 33, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n";
  std::size_t from = 0;
  auto const whole = http::find_head_end(line, from, limits);
  REQUIRE_FALSE(whole);
  CHECK(whole.error() == errc::target_too_long);
  from = 0;
  auto const piece = http::find_head_end(std::string_view(line).substr(0, limits.target_bytes + 33), from, limits);
  REQUIRE_FALSE(piece);
  CHECK(piece.error() == errc::target_too_long);
}

TEST_CASE("an answer with two readings is refused") {
  auto const refused = std::vector<row>{
      {"9112 6.1: length and coding", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"9112 6.3: two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"},
      {"9112 6.1: another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"},
      {"9112 6.1: a coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"9112 5.2: a folded line", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n"},
      {"9112 5.2: a fold after an empty value", "HTTP/1.1 200 OK\r\nX:\r\n b\r\n\r\n"},
      {"9112 4: a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"},
      {"9110 15: a status above 599", "HTTP/1.1 999 Hm\r\n\r\n"},
      {"9112 4: no HTTP", "ICY 200 OK\r\n\r\n"},
      {"9112 6.1: chunked where there is no body", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"9110 5.5: NUL in a value", "HTTP/1.1 200 OK\r\nX: a"s + '\0' + "\r\n\r\n"},
  };
  http::response_head head;
  for (auto const& r : refused) {
    INFO(r.why);
    CHECK_FALSE(response_is_good(r.bytes, head));
  }
}

TEST_CASE("where an answer's body ends") {
  struct {
    std::string bytes;
    http::method asked;
    http::framing body;
    bool keep_alive;
  } const rows[]{
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", http::method::get, http::framing::length, true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", http::method::head, http::framing::none, true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", http::method::get, http::framing::chunked, true},
      {"HTTP/1.1 200 OK\r\n\r\n", http::method::get, http::framing::until_close, false},
      {"HTTP/1.0 200 OK\r\n\r\n", http::method::get, http::framing::until_close, false},
      {"HTTP/1.1 204 No Content\r\n\r\n", http::method::get, http::framing::none, true},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", http::method::get, http::framing::none, true},
      {"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", http::method::get,
       http::framing::none, true},
  };
  for (auto const& r : rows) {
    INFO(r.bytes);
    http::response_head head;
    REQUIRE(response_is_good(r.bytes, head, r.asked));
    CHECK(head.body == r.body);
    CHECK(head.keep_alive == r.keep_alive);
  }
}
