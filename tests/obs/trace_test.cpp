#include "doorward/obs/trace.hpp"

#include <algorithm>
#include <string>

#include "catch.hpp"

using namespace doorward;
using namespace doorward::obs;

namespace {
std::string const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
std::string const parent = "00f067aa0ba902b7";
}  // namespace

TEST_CASE("traceparent that the specification allows") {
  struct row {
    std::string text;
    bool sampled;
  };
  auto const [text, sampled] = GENERATE(values<row>({
      {"00-" + trace + "-" + parent + "-01", true},
      {"00-" + trace + "-" + parent + "-00", false},
      {"00-" + trace + "-" + parent + "-03", true},
      {"00-" + trace + "-" + parent + "-02", false},
      {"00-" + trace + "-" + parent + "-ff", true},
      {"00-" + trace + "-" + parent + "-fe", false},
      {"01-" + trace + "-" + parent + "-01", true},
      {"cc-" + trace + "-" + parent + "-01-what-the-future-brings", true},
      {"cc-" + trace + "-" + parent + "-01-", true},
  }));
  CAPTURE(text);
  auto const c = parse_traceparent(text);
  REQUIRE(c);
  CHECK(view(c->trace) == trace);
  CHECK(view(c->parent) == parent);
  CHECK(c->sampled == sampled);
}

TEST_CASE("traceparent that is none") {
  auto const text = GENERATE(values<std::string>({
      "",
      "00",
      "00-" + trace + "-" + parent,
      "00-" + trace + "-" + parent + "-1",
      "00-" + trace + "-" + parent + "-01-",
      "00-" + trace + "-" + parent + "-01-more",
      "00-" + trace + "-" + parent + "-01 ",
      " 00-" + trace + "-" + parent + "-01",
      "01-" + trace + "-" + parent + "-01more",
      "ff-" + trace + "-" + parent + "-01",
      "0G-" + trace + "-" + parent + "-01",
      "0A-" + trace + "-" + parent + "-01",
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + parent + "-01",
      "00-" + trace + "-00F067AA0BA902B7-01",
      "00-" + trace + "-" + parent + "-0A",
      "00-" + trace + "-" + parent + "-0x",
      "00-00000000000000000000000000000000-" + parent + "-01",
      "00-" + trace + "-0000000000000000-01",
      "00_" + trace + "-" + parent + "-01",
      "00-" + trace + "_" + parent + "-01",
      "00-" + trace + "-" + parent + "_01",
      "00-" + trace.substr(1) + "--" + parent + "-01",
  }));
  CAPTURE(text);
  CHECK_FALSE(parse_traceparent(text));
}

TEST_CASE("a traceparent that was formatted can be read") {
  fast_random random(7);
  trace_context c;
  c.trace = new_request_id(random);
  c.parent = new_span_id(random);
  c.sampled = GENERATE(true, false);
  auto const text = format_traceparent(c);
  CHECK(view(text).substr(0, 3) == "00-");
  auto const back = parse_traceparent(view(text));
  REQUIRE(back);
  CHECK(*back == c);
}

TEST_CASE("new ids differ and are lower-case hexadecimal") {
  fast_random random(1);
  auto const a = new_request_id(random);
  auto const b = new_request_id(random);
  CHECK(a != b);
  CHECK(view(a).substr(0, 16) != view(a).substr(16));
  CHECK(view(a).find_first_not_of("0123456789abcdef") == std::string_view::npos);
}
