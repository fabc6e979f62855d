#include "doorward/http/chunked.hpp"

#include <string>
#include <vector>

#include "catch.hpp"
#include "doorward/base/errc.hpp"

namespace {

using doorward::errc;
using doorward::http::chunked_decoder;

struct outcome {
  std::string body;
  std::string left;  // input that is not the body's any more
  bool finished = false;
  bool refused = false;
  friend bool operator==(outcome const&, outcome const&) = default;
  friend std::ostream& operator<<(std::ostream& out, outcome const& o) {
    return out << (o.refused    ? "refused"
                   : o.finished ? "finished"
                                : "unfinished")
               << " body=" << o.body << " left=" << o.left;
  }
};

// Feeds the pieces one after the other, as reads would bring them.
outcome decode(std::vector<std::string> pieces, std::size_t trailer_limit = 1024) {
  chunked_decoder decoder(trailer_limit);
  outcome seen;
  for (auto& piece : pieces) {
    std::span<char> input(piece);
    for (;;) {
      if (seen.finished) break;
      auto const step = decoder.feed(input);
      if (!step) {
        CHECK(step.error() == errc::bad_request);
        CHECK_FALSE(decoder.finished());
        // Spent: nothing makes it go on.
        std::string more = "0\r\n\r\n";
        CHECK(decoder.feed(more).has_error());
        return {{}, {}, false, true};
      }
      seen.body.append(step->data.begin(), step->data.end());
      seen.finished = step->finished;
      CHECK(decoder.finished() == step->finished);
      input = input.subspan(step->consumed);
      if (step->consumed == 0) break;
    }
    seen.left.append(input.begin(), input.end());
  }
  return seen;
}

// Whole, one byte at a time, and cut in two at every place: all must come out the same.
outcome decode_every_way(std::string const& text, std::size_t trailer_limit = 1024) {
  auto const whole = decode({text}, trailer_limit);
  std::vector<std::string> bytes;
  for (auto const c : text)
    bytes.emplace_back(1, c);
  CHECK(decode(bytes, trailer_limit) == whole);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    auto const halves = decode({text.substr(0, cut), text.substr(cut)}, trailer_limit);
    if (halves != whole) {
      CAPTURE(cut);
      CHECK(halves == whole);
    }
  }
  return whole;
}

TEST_CASE("chunked, what the grammar allows") {
  struct row {
    char const* text;
    char const* body;
    char const* left;
  };
  auto const r = GENERATE(values<row>({
      {"0\r\n\r\n", "", ""},
      {"5\r\nhello\r\n0\r\n\r\n", "hello", ""},
      {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", ""},
      {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""},
      {"a\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""},
      {"0000000000000005\r\nhello\r\n000\r\n\r\n", "hello", ""},
      {"4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", ""},  // data may be anything
      {"0\r\n\r\nGET /next HTTP/1.1\r\n", "", "GET /next HTTP/1.1\r\n"},
      {"1\r\nx\r\n0\r\n\r\n0\r\n\r\n", "x", "0\r\n\r\n"},
      // extensions
      {"1;a\r\nx\r\n0\r\n\r\n", "x", ""},
      {"1;a=b\r\nx\r\n0;c=d;e\r\n\r\n", "x", ""},
      {"1 ; a = b ;c\r\nx\r\n0\r\n\r\n", "x", ""},
      {"1\t;\ta\t=\t\"b\"\t;c\r\nx\r\n0\r\n\r\n", "x", ""},
      {"1;a=\"b;c \\\" \\\\ \x80\"\r\nx\r\n0\r\n\r\n", "x", ""},
      {"1;a=\"\"\r\nx\r\n0\r\n\r\n", "x", ""},
      // trailers are dropped
      {"0\r\nExpires: never\r\n\r\nrest", "", "rest"},
      {"0\r\nA:\r\nB: \x80 \t \r\nX-User-Id: 1\r\n\r\n", "", ""},
  }));
  CAPTURE(r.text);
  CHECK(decode_every_way(r.text) == outcome{r.body, r.left, true, false});
}

TEST_CASE("chunked, what is still on its way is no error") {
  auto const text =
      GENERATE(as<std::string>{}, "", "5", "5\r", "5;a", "5;a=\"", "5\r\nhel", "5\r\nhello", "5\r\nhello\r",
               "5\r\nhello\r\n", "0", "0\r\n", "0\r\nA", "0\r\nA: b\r", "0\r\nA: b\r\n", "0\r\n\r");
  CAPTURE(text);
  auto const seen = decode_every_way(text);
  CHECK_FALSE(seen.refused);
  CHECK_FALSE(seen.finished);
  CHECK(seen.left.empty());
}

TEST_CASE("chunked, what two parsers could read in two ways") {
  using namespace std::string_literals;
  auto const text = GENERATE(values<std::string>({
      // sizes
      "\r\n\r\n",
      " 5\r\nhello\r\n",
      "+5\r\nhello\r\n",
      "-5\r\nhello\r\n",
      "-0\r\n\r\n",
      "0x5\r\nhello\r\n",
      "0X5\r\nhello\r\n",
      "x5\r\nhello\r\n",
      "5h\r\nhello\r\n",
      "5_0\r\nhello\r\n",
      "5.0\r\nhello\r\n",
      "5,5\r\nhello\r\n",
      "\0005\r\nhello\r\n"s,
      "5\0\r\nhello\r\n"s,
      "g\r\n",
      "\xef\xbc\x95\r\nhello\r\n",  // a full-width 5
      ";a\r\n\r\n",
      // sizes that do not fit
      "8000000000000000\r\nx",
      "ffffffffffffffff\r\nx",
      "FFFFFFFFFFFFFFFF\r\nx",
      "10000000000000000\r\nx",
      "10000000000000005\r\nhello\r\n",
      "00000000000000005\r\nhello\r\n",
      "00000000000000000\r\n\r\n",
      "fffffffffffffffffffffffffffffffff\r\nx",
      // ends of lines
      "5\nhello\r\n",
      "5\rhello\r\n",
      "5\r\rhello",
      "5 \r\nhello\r\n",
      "5\t\r\nhello\r\n",
      "5\x0b\r\nhello\r\n",
      "5\x85\r\nhello\r\n",
      "5\r\nhello0\r\n\r\n",
      "5\r\nhello\n0\r\n\r\n",
      "5\r\nhello\r0\r\n\r\n",
      "5\r\nhello\n\r0\r\n\r\n",
      "5\r\nhello \r\n0\r\n\r\n",
      "5\r\nhello!\r\n0\r\n\r\n",
      "5\r\nhello\r\n\r\n0\r\n\r\n",
      "0\n\n",
      "0\r\n\n",
      "0\n\r\n",
      "0\r\r\n",
      "0\r\n\r\r\n",
      "0\r\n\rX",
      // extensions
      "5;\r\nhello\r\n",
      "5;;\r\nhello\r\n",
      "5;a\nhello\r\n",
      "5;a\n\r\nhello\r\n",
      "5;a\rb\r\nhello\r\n",
      "5;a\r\r\nhello\r\n",
      "5;a=\r\nhello\r\n",
      "5;=b\r\nhello\r\n",
      "5;a==b\r\nhello\r\n",
      "5;a=b=c\r\nhello\r\n",
      "5;a b\r\nhello\r\n",
      "5;a \r\nhello\r\n",
      "5;a=b \r\nhello\r\n",
      "5;a=\"b\" \r\nhello\r\n",
      "5;a=\"b\r\nhello\r\n",
      "5;a=\"b\n\"\r\nhello\r\n",
      "5;a=\"b\0\"\r\nhello\r\n"s,
      "5;a=\"b\\\r\n\"\r\nhello\r\n",
      "5;a=\"b\"c\r\nhello\r\n",
      "5;a=\"b\"\"c\"\r\nhello\r\n",
      "5;a\0\r\nhello\r\n"s,
      "5;a\x80\r\nhello\r\n",
      "5 a\r\nhello\r\n",
      "5 5\r\nhello\r\n",
      // trailers
      "0\r\n: b\r\n\r\n",
      "0\r\nA\r\n\r\n",
      "0\r\nA b\r\n\r\n",
      "0\r\nA : b\r\n\r\n",
      "0\r\n A: b\r\n\r\n",
      "0\r\nA: b\r\n c\r\n\r\n",
      "0\r\nA: b\n\r\n",
      "0\r\nA: b\r\n\n",
      "0\r\nA: b\rC: d\r\n\r\n",
      "0\r\nA: b\0\r\n\r\n"s,
      "0\r\nA: \x7f\r\n\r\n",
      "0\r\nA\x80: b\r\n\r\n",
      "0\r\nGET / HTTP/1.1\r\n\r\n",
  }));
  CAPTURE(text);
  CHECK(decode_every_way(text).refused);
}

TEST_CASE("chunked, the largest size that is allowed") {
  auto const seen = decode({"7fffffffffffffff\r\nabc"});
  CHECK_FALSE(seen.refused);
  CHECK(seen.body == "abc");
}

TEST_CASE("chunked, extensions up to the bound and one byte over it") {
  auto const chunk = [](std::size_t extension) { return "1;" + std::string(extension - 1, 'a') + "\r\nx\r\n"; };
  std::string const end = "0\r\n\r\n";
  CHECK(decode_every_way(chunk(256) + end) == outcome{"x", "", true, false});
  CHECK(decode_every_way(chunk(257) + end).refused);
  CHECK(decode_every_way("1" + std::string(257, ' ') + ";a\r\nx\r\n" + end).refused);

  std::string many;
  for (int i = 0; i < 64; ++i)
    many += chunk(256);
  CHECK(decode({many + end}) == outcome{std::string(64, 'x'), "", true, false});
  CHECK(decode({many + chunk(2) + end}).refused);
  CHECK(decode({many + "0;a\r\n\r\n"}).refused);
}

TEST_CASE("chunked, trailers up to the bound and one byte over it") {
  std::string const trailer = "A: 456\r\n";
  CHECK(decode_every_way("0\r\n" + trailer + "\r\n", 8) == outcome{"", "", true, false});
  CHECK(decode_every_way("0\r\n" + trailer + "\r\n", 7).refused);
  CHECK(decode_every_way("0\r\n" + trailer + trailer + "\r\n", 15).refused);
  CHECK(decode_every_way("0\r\n\r\n", 0) == outcome{"", "", true, false});
}

TEST_CASE("chunked, a large chunk is handed on without copying") {
  std::string const size = "10000\r\n";
  std::string text = size + std::string(0x10000, 'x') + "\r\n0\r\n\r\n";
  chunked_decoder decoder;
  auto const step = decoder.feed(text);
  REQUIRE(step.has_value());
  CHECK(step->data.data() == text.data() + size.size());
  CHECK(step->data.size() == 0x10000);
  CHECK(step->consumed == size.size() + 0x10000);
  CHECK_FALSE(step->finished);
}

}  // namespace
