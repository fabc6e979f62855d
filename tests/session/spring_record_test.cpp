#include <string>
#include <vector>

#include "catch.hpp"
#include "doorward/session/foreign_reader.hpp"
#include "doorward/session/lifetime.hpp"
#include "session/java_value.hpp"

// Spring Session's hash: values of Java's serialization and of Jackson's, and when a session is over.

using namespace doorward;
using namespace doorward::session;
using namespace std::string_literals;
using kind = redis::reply::kind;

namespace {

std::string const number = "xr\0\x10java.lang.Number\x86\xac\x95\x1d\x0b\x94\xe0\x8b\x02\0\0xp"s;
std::string const long_start =
    "\xac\xed\0\5sr\0\x0ejava.lang.Long;\x8b\xe4\x90\xcc\x8f#\xdf\x02\0\1J\0\5value"s + number;
std::string const integer_start =
    "\xac\xed\0\5sr\0\x11java.lang.Integer\x12\xe2\xa0\xa4\xf7\x81\x87"s + "8\x02\0\1I\0\5value"s + number;
std::string const short_start = "\xac\xed\0\5sr\0\x0fjava.lang.ShorthM7\x13"s + "4`\xdaR\x02\0\1S\0\5value"s + number;
std::string const boolean_start =
    "\xac\xed\0\5sr\0\x11java.lang.Boolean\xcd r\x80\xd5\x9c\xfa\xee\x02\0\1Z\0\5valuexp"s;

std::string big_endian(std::int64_t n, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i)
    out += static_cast<char>((static_cast<std::uint64_t>(n) >> (8 * i)) & 0xff);
  return out;
}
std::string java(std::int64_t n) {
  return long_start + big_endian(n, 8);
}
std::string java_int(std::int64_t n) {
  return integer_start + big_endian(n, 4);
}
std::string java(std::string const& text) {
  return "\xac\xed\0\5t"s + big_endian(static_cast<std::int64_t>(text.size()), 2) + text;
}

constexpr epoch_ms now = 1'700'000'000'000;

/// A hash with these fields; times that are right unless they are among them.
struct spring {
  field_layout layout{config::session_fields{"userId", "role", "creationTime", "lastAccessedTime"}};
  foreign_reader reader{config::session_encoding::spring};
  record into{layout};

  outcome read(std::vector<std::string> const& items) {
    std::vector<std::string_view> views(items.begin(), items.end());
    redis::reply r;
    r.type = kind::array;
    r.items = views;
    return reader.read(r, into, now);
  }
  outcome times(std::string const& last, std::string const& interval) {
    return read({"creationTime", java(0), "lastAccessedTime", last, "maxInactiveInterval", interval,
                 "sessionAttr:userId", java("42"s)});
  }
  outcome attribute(std::string const& value) {
    return read({"creationTime", java(0), "lastAccessedTime", java(now), "maxInactiveInterval", java_int(1800),
                 "sessionAttr:userId", value});
  }
};

}  // namespace

TEST_CASE("Java values, by their exact bytes") {
  CHECK(read_java_value(java("abc"s)) == "abc");
  CHECK(read_java_value(java(""s)) == "");
  CHECK(read_java_value("\xac\xed\0\5|"s + big_endian(3, 8) + "abc") == "abc");
  CHECK(read_java_value(java(1'700'000'000'000)) == "1700000000000");
  CHECK(read_java_value(java(-1)) == "-1");
  CHECK(read_java_value(java_int(1800)) == "1800");
  CHECK(read_java_value(java_int(-1)) == "-1");
  CHECK(read_java_value(short_start + big_endian(-300, 2)) == "-300");
  CHECK(read_java_value(boolean_start + "\1") == "true");
  CHECK(read_java_value(boolean_start + "\0"s) == "false");
}

TEST_CASE("Java text is modified UTF-8") {
  CHECK(read_java_value(java("\xc3\xa4\xe2\x82\xac"s)) == "\u00e4\u20ac");
  CHECK(read_java_value(java("\xc0\x80"s)) == "\0"s);
  CHECK(read_java_value(java("\xed\xa0\xbd\xed\xb8\x80"s)) == "\U0001F600");
  for (auto const& text : std::vector<std::string>{"\0"s, "\xc1\x81", "\xe0\x80\x80", "\xf0\x9f\x98\x80", "\xc3",
                                                   "\xe2\x82", "\xed\xa0\xbd", "\xed\xb8\x80",
                                                   "\xed\xa0\xbd\xed\xa0\xbd", "\xed\xa0\xbdx", "\xff", "\x80"}) {
    CAPTURE(text);
    CHECK_FALSE(read_java_value(java(text)));
  }
}

TEST_CASE("Java objects of any other kind, or any other shape, are not looked into") {
  auto changed = java(7);
  for (std::size_t i = 0; i < long_start.size(); ++i) {
    auto other = changed;
    other[i] = static_cast<char>(other[i] ^ 1);
    CAPTURE(i);
    CHECK_FALSE(read_java_value(other));
  }
  for (auto const& bytes : std::vector<std::string>{
           "", "\xac\xed", "\xac\xed\0\5"s, "\xac\xed\0\5p"s, "\xac\xed\0\5t"s, "\xac\xed\0\5t\0"s,
           "\xac\xed\0\5t\0\4abc"s, "\xac\xed\0\5t\0\2abc"s,
           "\xac\xed\0\5|\xff\xff\xff\xff\xff\xff\xff\xff"
           "abc"s,
           java(7) + "x", long_start + "abc", boolean_start + "\2", boolean_start,
           "\xac\xed\0\5sr\0\x11java.util.HashMap\5\7\xda\xc1\xc3\x16`\xd1"s, "\xac\xed\0\5w\4abcd"s}) {
    CAPTURE(bytes);
    CHECK_FALSE(read_java_value(bytes));
  }
}

TEST_CASE("Spring: both ways of writing values") {
  spring s;
  CHECK(s.read({"creationTime", java(now - 1000), "lastAccessedTime", java(now - 500), "maxInactiveInterval",
                java_int(1800), "sessionAttr:userId", java("42"s), "sessionAttr:role", java("admin"s),
                "sessionAttr:SPRING_SECURITY_CONTEXT", "\xac\xed\0\5sr\0\1X"s}) == outcome::found);
  CHECK(s.into.user() == "42");
  CHECK(s.into.roles() == "admin");
  CHECK(s.into.get(field::created) == std::to_string(now - 1000));
  CHECK(s.into.get(field::last_seen) == std::to_string(now - 500));
  CHECK(s.read({"creationTime", "1699999999000", "lastAccessedTime", R"(["java.lang.Long",1699999999500])",
                "maxInactiveInterval", "1800", "sessionAttr:userId", "\"42\"", "sessionAttr:role", "null",
                "sessionAttr:x", R"({"@class":"x.Y"})"}) == outcome::found);
  CHECK(s.into.user() == "42");
  CHECK_FALSE(s.into.has(s.layout.at(field::roles)));
  CHECK(s.into.get(field::last_seen) == "1699999999500");
}

TEST_CASE("Spring: values that are not read") {
  spring s;
  for (auto const* value : {"42", "true", "\"42\"", R"(["java.lang.String","42"])", R"(["java.lang.Integer",42])"}) {
    CAPTURE(value);
    CHECK(s.attribute(value) == outcome::found);
  }
  CHECK(s.attribute("null") == outcome::ghost);
  CHECK(s.attribute("") == outcome::ghost);  // it was removed
  for (auto const& value : std::vector<std::string>{
           "alice", "{}", "[]", R"(["42"])", R"(["java.lang.Long"])", R"(["java.lang.Long",1,2])",
           R"(["java.lang.Long",null])", R"(["java.lang.Long",[1]])", R"(["java.util.ArrayList",["a"]])",
           R"([["java.lang.Long",1]])", R"({"@class":"x"})", "\"4\"2", "\"4\"\0"s, "\"\xff\"", java("42"s) + "x",
           "\xac\xed\0\5sr\0\1X"s, "a:0:{}"}) {
    CAPTURE(value);
    CHECK(s.attribute(value) == outcome::malformed);
    CHECK(s.into.user().empty());
  }
}

TEST_CASE("Spring: when a session is over, though its hash stays") {
  spring s;
  CHECK(s.times(java(now - 1'799'999), java_int(1800)) == outcome::found);
  CHECK(s.times(java(now - 1'800'000), java_int(1800)) == outcome::absent);
  CHECK(s.times(java(now - 1'800'001), java_int(1800)) == outcome::absent);
  CHECK(s.into.user().empty());
  CHECK(s.times(java(now), java_int(0)) == outcome::absent);
  CHECK(s.times(java(now + 60'000), java_int(0)) == outcome::absent);  // ended, by a clock that is ahead
  CHECK(s.times(java(0), java_int(-1)) == outcome::found);
  CHECK_FALSE(idle_end(s.into, {}));
  // Whoever keeps it for a while knows how long that may be.
  CHECK(s.times(java(now), java_int(60)) == outcome::found);
  CHECK(idle_end(s.into, {}) == now + 60'000);
  CHECK(s.read({"lastAccessedTime", java(now), "maxInactiveInterval", java_int(60), "sessionAttr:userId", java("42"s),
                "sessionAttr:doorward.idle", java("7200"s)}) == outcome::found);
  CHECK(idle_end(s.into, {}) == now + 60'000);
  CHECK(s.times(java(now + 60'000), java_int(1)) == outcome::found);
  CHECK(s.times(java(1), java(1'000'000'000'000'000)) == outcome::found);
}

TEST_CASE("Spring: when a session will be over is told, for whoever keeps a copy of it") {
  spring s;
  CHECK(s.times(java(now - 1000), java_int(60)) == outcome::found);
  CHECK(s.reader.ends() == now + 59'000);
  CHECK(s.times(java(now), java_int(-1)) == outcome::found);
  CHECK_FALSE(s.reader.ends());
  CHECK(s.times(java(now), java_int(60)) == outcome::found);
  CHECK(s.times("x", "y") == outcome::malformed);
  CHECK_FALSE(s.reader.ends());
}

TEST_CASE("Spring: without times that can be read nobody can tell") {
  spring s;
  for (auto const& [last, interval] :
       std::vector<std::pair<std::string, std::string>>{{java("x"s), java_int(1800)},
                                                        {java(now), java("x"s)},
                                                        {java(-1), java_int(1800)},
                                                        {"1.5", "1800"},
                                                        {"1e3", "1800"},
                                                        {java(1'000'000'000'000'001), java_int(1800)},
                                                        {java(now), java(1'000'000'000'000'001)},
                                                        {java(INT64_MAX), java(INT64_MAX)},
                                                        {"null", "1800"},
                                                        {"1700000000000", "null"}}) {
    CHECK(s.times(last, interval) == outcome::malformed);
  }
  CHECK(s.read({"sessionAttr:userId", java("42"s)}) == outcome::malformed);
  CHECK(s.reader.looks_like() == likeness::no_times);
  std::vector<std::string> const times{"creationTime",        java(0),      "lastAccessedTime",   java(now),
                                       "maxInactiveInterval", java_int(60), "sessionAttr:userId", java("42"s)};
  CHECK(s.read(times) == outcome::found);
  for (std::size_t lacking = 0; lacking < 6; lacking += 2) {
    auto others = times;
    auto const at = others.begin() + static_cast<std::ptrdiff_t>(lacking);
    others.erase(at, at + 2);
    CHECK(s.read(others) == outcome::malformed);
    CHECK(s.reader.looks_like() == likeness::no_times);
  }
  CHECK(s.read({"userId", "42"}) == outcome::malformed);
}

TEST_CASE("Spring: replies, names and what comes twice") {
  spring s;
  CHECK(s.read({}) == outcome::absent);
  CHECK(s.read({"userId"}) == outcome::malformed);
  redis::reply r;
  r.type = kind::error;
  r.text = "WRONGTYPE x";
  CHECK(s.reader.read(r, s.into, now) == outcome::wrong_type);
  r.type = kind::string;
  CHECK(s.reader.read(r, s.into, now) == outcome::malformed);
  std::vector<std::string> const good{"creationTime",        java(5),        "lastAccessedTime",   java(now),
                                      "maxInactiveInterval", java_int(1800), "sessionAttr:userId", java("42"s)};
  auto with = [&](std::string name, std::string value) {
    auto items = good;
    items.push_back(std::move(name));
    items.push_back(std::move(value));
    return s.read(items);
  };
  CHECK(with("userId", "43") == outcome::found);  // no attribute
  CHECK(s.into.user() == "42");
  CHECK(with("sessionAttr:creationTime", java(7)) == outcome::found);  // not Spring's own
  CHECK(s.into.get(field::created) == "5");
  CHECK(with("sessionAttr:userId", java("43"s)) == outcome::malformed);
  CHECK(with("lastAccessedTime", java(now)) == outcome::malformed);
}

TEST_CASE("Spring: what programs write for nobody is nobody") {
  spring s;
  for (auto const& nobody : {boolean_start + "\0"s, java(0), java_int(0), "false"s, "0"s, R"(["java.lang.Long",0])"s})
    CHECK(s.attribute(nobody) == outcome::ghost);
  CHECK(s.attribute(boolean_start + "\1") == outcome::malformed);
  CHECK(s.attribute("true") == outcome::malformed);
  for (auto const& somebody : {java("0"s), java("false"s), R"("0")"s, R"("true")"s, R"(["java.lang.String","0"])"s})
    CHECK(s.attribute(somebody) == outcome::found);
}
