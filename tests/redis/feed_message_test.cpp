#include "redis/feed_message.hpp"

#include <string>
#include <vector>

#include "catch.hpp"

using namespace doorward;
using namespace doorward::redis;

namespace {

std::string bulk(std::string const& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

std::string told(feed_message const& m) {
  std::string out{m.type};
  out += m.text;
  for (auto const text : m.texts)
    (out += '[').append(text) += ']';
  return out + (m.has_nil ? "nil" : "");
}

}  // namespace

TEST_CASE("messages to a listener, whole and cut anywhere") {
  auto const channel = bulk("__redis__:invalidate");
  struct row {
    std::string bytes, told;
  };
  row const rows[] = {
      {"+OK\r\n", "+OK"},
      {"-NOPERM no\r\n", "-NOPERM no"},
      {":42\r\n", ":"},
      {"*3\r\n" + bulk("subscribe") + channel + ":1\r\n", "*[subscribe][__redis__:invalidate]"},
      {"*3\r\n" + bulk("message") + channel + "*1\r\n" + bulk("session:abc"),
       "*[message][__redis__:invalidate][session:abc]"},
      {"*3\r\n" + bulk("message") + channel + "*2\r\n" + bulk("a\r\nb") + bulk(""),
       "*[message][__redis__:invalidate][a\r\nb][]"},
      {"*3\r\n" + bulk("message") + channel + "*-1\r\n", "*[message][__redis__:invalidate]nil"},
      {"*3\r\n" + bulk("message") + channel + "$-1\r\n", "*[message][__redis__:invalidate]nil"},
      {"*2\r\n" + bulk("pong") + bulk(""), "*[pong][]"},
      {"*0\r\n", "*"},
      {"$-1\r\n", "$nil"},
  };
  for (auto const& r : rows) {
    CAPTURE(r.told);
    for (std::size_t cut = 0; cut < r.bytes.size(); ++cut) {
      feed_message m;
      std::size_t used = 0;
      CHECK(parse_feed_message(std::string_view(r.bytes).substr(0, cut), m, used) == feed_parsed::part);
    }
    feed_message m;
    std::size_t used = 0;
    auto const twice = r.bytes + r.bytes;
    REQUIRE(parse_feed_message(twice, m, used) == feed_parsed::whole);
    CHECK(used == r.bytes.size());
    CHECK(told(m) == r.told);
  }
}

TEST_CASE("what is no message, or has no end, is found out early") {
  std::string const rows[] = {
      "?\r\n",
      ">2\r\n",
      "%1\r\n",
      "$-2\r\n",
      "$x\r\n",
      "$\r\n",
      "$99999999999999999999\r\n",
      "$2147483647\r\n",
      "$3\r\nabcd\r\n",
      "*-2\r\n",
      "*1025\r\n",
      "*2147483647\r\n",
      "*1\r\n*1\r\n*1\r\n",
      "*2\r\n*1000\r\n" + std::string(4000, ' '),
      ":1x\r\n",
      ":9999999999999999999999\r\n",
      "+" + std::string(2000, 'x'),
      "$" + std::string(2000, '1'),
  };
  for (auto const& bytes : rows) {
    CAPTURE(bytes.substr(0, 40));
    feed_message m;
    std::size_t used = 0;
    CHECK(parse_feed_message(bytes, m, used) == feed_parsed::broken);
  }
}
