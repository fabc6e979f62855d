#include "config/scalars.hpp"

#include "catch.hpp"

using namespace doorward;
using namespace doorward::config;

namespace {

template <class T>
complaint complaint_of(parsed<T> const& p) {
  REQUIRE(std::holds_alternative<complaint>(p));
  return *std::get_if<complaint>(&p);
}

}  // namespace

TEST_CASE("a number and a unit make a duration") {
  struct row {
    char const* text;
    std::int64_t ms;
  };
  for (auto const& [text, ms] : std::vector<row>{{"0s", 0},
                                                 {"250ms", 250},
                                                 {"30s", 30'000},
                                                 {"30m", 1'800'000},
                                                 {"12h", 43'200'000},
                                                 {"30d", 2'592'000'000},
                                                 {"007s", 7'000},
                                                 {"106751991167d", 106'751'991'167 * 86'400'000}}) {
    INFO(text);
    auto const got = parse_duration(text);
    REQUIRE(std::holds_alternative<milliseconds>(got));
    CHECK(std::get<milliseconds>(got).count() == ms);
  }
}

TEST_CASE("what is no duration says so and how to write it") {
  constexpr char units[] = "not a duration: the units are ms, s, m, h and d";
  constexpr char form[] = "not a duration: it is a whole number and a unit";
  struct row {
    char const *text, *why, *fix;
  };
  for (auto const& [text, why, fix] :
       std::vector<row>{{"", "a duration is missing", "for example `30s`"},
                        {"30", "a duration needs a unit", "write `30s`"},
                        {"0", "a duration needs a unit", "write `0s`"},
                        {"99999999999999999999", "a duration needs a unit", "write `99999999999999999999s`"},
                        {"-5s", "a duration must not be negative", "for example `30s`"},
                        {"s", form, "for example `30s`"},
                        {"forever", form, "for example `30s`"},
                        {" 5s", form, "for example `30s`"},
                        {"1.5s", units, "for example `30s`"},
                        {"1h30m", units, "for example `30s`"},
                        {"5 s", units, "write `5s`"},
                        {"5S", units, "write `5s`"},
                        {"5sec", units, "write `5s`"},
                        {"5minutes", units, "write `5m`"},
                        {"5msec", units, "write `5ms`"},
                        {"5w", units, "for example `30s`"},
                        {"106751991168d", "this duration is too large", ""},
                        {"99999999999999999999s", "this duration is too large", ""}}) {
    INFO(text);
    auto const got = complaint_of(parse_duration(text));
    CHECK(got.text == why);
    CHECK(got.suggestion == fix);
  }
}

TEST_CASE("a number and a unit make a size") {
  struct row {
    char const* text;
    std::uint64_t bytes;
  };
  for (auto const& [text, bytes] :
       std::vector<row>{{"0B", 0}, {"512B", 512}, {"64KiB", 65'536}, {"10MiB", 10'485'760}, {"3GiB", 3'221'225'472}}) {
    INFO(text);
    auto const got = parse_size(text);
    REQUIRE(std::holds_alternative<std::uint64_t>(got));
    CHECK(std::get<std::uint64_t>(got) == bytes);
  }
}

TEST_CASE("what is no size says so and how to write it") {
  constexpr char units[] = "not a size: the units are B, KiB, MiB and GiB";
  struct row {
    char const *text, *why, *fix;
  };
  for (auto const& [text, why, fix] : std::vector<row>{{"", "a size is missing", "for example `10MiB`"},
                                                       {"1000", "a size needs a unit", "write `1000B`"},
                                                       {"65536", "a size needs a unit", "write `64KiB`"},
                                                       {"10485760", "a size needs a unit", "write `10MiB`"},
                                                       {"0", "a size needs a unit", "write `0B`"},
                                                       {"-1KiB", "a size must not be negative", "for example `10MiB`"},
                                                       {"10MB", units, "write `10MiB`"},
                                                       {"10m", units, "write `10MiB`"},
                                                       {"10M", units, "write `10MiB`"},
                                                       {"64k", units, "write `64KiB`"},
                                                       {"64kib", units, "write `64KiB`"},
                                                       {"2G", units, "write `2GiB`"},
                                                       {"64 KiB", units, "write `64KiB`"},
                                                       {"9bytes", units, "write `9B`"},
                                                       {"1.5GiB", units, "for example `10MiB`"},
                                                       {"9007199254740992GiB", "this size is too large", ""}}) {
    INFO(text);
    auto const got = complaint_of(parse_size(text));
    CHECK(got.text == why);
    CHECK(got.suggestion == fix);
  }
}

TEST_CASE("an integer is digits and nothing else") {
  CHECK(std::get<std::int64_t>(parse_integer("0")) == 0);
  CHECK(std::get<std::int64_t>(parse_integer("-12")) == -12);
  CHECK(std::get<std::int64_t>(parse_integer("9223372036854775807")) == 9223372036854775807);
  for (auto const* text : {"", "-", "+1", "1.0", "0x10", "1e3", "1_000", " 1", "one", "9223372036854775808"}) {
    INFO(text);
    CHECK(std::holds_alternative<complaint>(parse_integer(text)));
  }
}

TEST_CASE("a number may have a point") {
  CHECK(std::get<double>(parse_number("0.25")) == 0.25);
  CHECK(std::get<double>(parse_number("1")) == 1.0);
  for (auto const* text : {"", ".", ".5", "1.", "-1", "1e3", "nan", "inf", "0x1", "1.2.3", "1,5"}) {
    INFO(text);
    CHECK(std::holds_alternative<complaint>(parse_number(text)));
  }
}

TEST_CASE("durations and sizes are written in the largest unit that fits") {
  for (auto const* text : {"0s", "1ms", "1500ms", "90s", "30m", "12h", "14d"}) {
    CHECK(duration_text(std::get<milliseconds>(parse_duration(text))) == text);
  }
  CHECK(duration_text(milliseconds{60'000}) == "1m");
  for (auto const* text : {"0B", "1B", "1025B", "64KiB", "10MiB", "5GiB"}) {
    CHECK(size_text(std::get<std::uint64_t>(parse_size(text))) == text);
  }
}
