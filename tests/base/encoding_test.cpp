#include "doorward/base/encoding.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "catch.hpp"

namespace {

using namespace doorward;
using namespace std::string_literals;

std::vector<unsigned char> bytes(std::string_view text) {
  return {text.begin(), text.end()};
}

TEST_CASE("trim, blanks and tabs around a text") {
  struct row {
    std::string text;
    std::string trimmed;
  };
  auto const [text, trimmed] =
      GENERATE(values<row>({{"", ""}, {" \t ", ""}, {"a", "a"}, {" \ta b\t ", "a b"}, {"\na\r", "\na\r"}}));
  CHECK(doorward::trim(text) == trimmed);
}

TEST_CASE("number, at the end of a text") {
  std::string text = "n=";
  doorward::append_number(text, std::int64_t{-5});
  doorward::append_number(text, std::numeric_limits<std::uint64_t>::max());
  CHECK(text == "n=-518446744073709551615");
}

TEST_CASE("base64url, as in RFC 4648 section 10 but without padding") {
  struct row {
    std::string text;
    char const* encoded;
  };
  auto const r = GENERATE(values<row>({
      {"", ""},
      {"f", "Zg"},
      {"fo", "Zm8"},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg"},
      {"fooba", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy"},
      {"\xfb\xff\xbf", "-_-_"},
      {"\0\0\0"s, "AAAA"},
  }));
  CHECK(base64url(bytes(r.text)) == r.encoded);
  std::string into(16, '?');
  auto* const end = base64url(bytes(r.text), into.data());
  CHECK(std::string_view(into.data(), end) == r.encoded);
}

TEST_CASE("hexadecimal, behind a text") {
  std::string out = "x:";
  append_hex(out, bytes("\x00\xff\x1a"s));
  CHECK(out == "x:00ff1a");
}

TEST_CASE("hex64") {
  auto const hex = [](std::uint64_t value) {
    std::string out(16, '?');
    hex64(value, out.data());
    return out;
  };
  CHECK(hex(0) == "0000000000000000");
  CHECK(hex(0x0123456789abcdef) == "0123456789abcdef");
  CHECK(hex(~std::uint64_t{0}) == "ffffffffffffffff");
}

TEST_CASE("digests, as in FIPS 180") {
  CHECK(sha1_hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(sha1_hex("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  auto const prefix = [](std::string_view text) {
    auto const digits = sha256_prefix(text);
    return std::string(digits.begin(), digits.end());
  };
  CHECK(prefix("abc") == "ba7816bf");
  CHECK(prefix("") == "e3b0c442");
  CHECK(prefix("abc") == "ba7816bf");  // nothing is left over from the last one
}

TEST_CASE("query component, what is escaped") {
  std::string out = "x=";
  append_query_encoded(out, "/a b?c=d&e#f%+\xc3\xa9;\"~-._");
  CHECK(out == "x=/a%20b%3Fc%3Dd%26e%23f%25%2B%C3%A9%3B%22~-._");
}

TEST_CASE("header value") {
  struct row {
    std::string text;
    char const* value;  // nullptr = refused
  };
  auto const r = GENERATE(values<row>({
      {"", ""},
      {"alice", "alice"},
      {"100% of, \"it\"", "100% of, \"it\""},
      {"J\xc3\xbcrgen 100%", "J%C3%BCrgen 100%25"},
      {"a\tb", "a%09b"},
      {"a\x7f", "a%7F"},
      {"\xff", "%FF"},
      {"a\rb", nullptr},
      {"a\nb", nullptr},
      {"a\0b"s, nullptr},
      {"42\r\nX-User-Roles: admin", nullptr},
      {"\xc3\xbc\n", nullptr},
  }));
  CAPTURE(r.text);
  std::string out = "kept:";
  CHECK(append_header_value(out, r.text) == (r.value != nullptr));
  CHECK(out == "kept:"s + (r.value ? r.value : ""));
}

TEST_CASE("HTML text and attributes") {
  std::string out;
  append_html_escaped(out, "<a href=\"x\" title='y'>&amp;</a>");
  CHECK(out == "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
}

TEST_CASE("JSON string") {
  struct row {
    std::string text;
    std::string json;
  };
  auto const r = GENERATE(values<row>({
      {"", ""},
      {"abc/", "abc/"},
      {"a\"b\\c", "a\\\"b\\\\c"},
      {"\n\t\0\x1f"s, "\\u000a\\u0009\\u0000\\u001f"},
      {"\x7f", "\x7f"},
      {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
      {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
      // not UTF-8 (RFC 3629 section 3)
      {"a\x80z", "a\\ufffdz"},
      {"\xc3", "\\ufffd"},
      {"\xc3(", "\\ufffd("},
      {"\xe2\x82", "\\ufffd\\ufffd"},
      {"\xc0\xaf", "\\ufffd\\ufffd"},             // overlong
      {"\xe0\x80\xaf", "\\ufffd\\ufffd\\ufffd"},  // overlong
      {"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"},  // surrogate
      {"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
      {"\xff\"", "\\ufffd\\\""},
  }));
  CAPTURE(r.text);
  std::string out;
  append_json_escaped(out, r.text);
  CHECK(out == r.json);
}

TEST_CASE("percent-decoding, one round") {
  struct row {
    char const* text;
    bool ok;
    std::string decoded;
  };
  auto const r = GENERATE(values<row>({
      {"", true, ""},
      {"abc+", true, "abc+"},
      {"%41%6a%6A", true, "Ajj"},
      {"%252F", true, "%2F"},
      {"%00", true, "\0"s},
      {"%C3%A9", true, "\xc3\xa9"},
      {"%", false, ""},
      {"%4", false, ""},
      {"a%4", false, ""},
      {"%4g", false, ""},
      {"%g4", false, ""},
      {"%%41", false, ""},
      {"%u0041", false, ""},
  }));
  CAPTURE(r.text);
  std::string out = "left over";
  CHECK(percent_decode(out, r.text) == r.ok);
  if (r.ok) CHECK(out == r.decoded);
}

TEST_CASE("letter case, ASCII only") {
  CHECK(iequals("Content-Length", "content-LENGTH"));
  CHECK_FALSE(iequals("a", "ab"));
  CHECK_FALSE(iequals("a", "b"));
  CHECK_FALSE(iequals("[", "{"));
  CHECK_FALSE(iequals("\xc4", "\xe4"));
  CHECK(to_lower('Z') == 'z');
  CHECK(to_lower('[') == '[');
  CHECK(to_lower('@') == '@');
}

}  // namespace
