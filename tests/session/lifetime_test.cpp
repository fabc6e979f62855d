#include "doorward/session/lifetime.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace doorward;
using namespace doorward::session;

namespace {

constexpr epoch_ms now = 1'754'000'000'000;
constexpr epoch_ms minute = 60'000, hour = 60 * minute;

record with(field_layout const& layout, std::vector<std::pair<field, std::string>> const& fields) {
  record r{layout};
  for (auto const& [f, value] : fields)
    REQUIRE(r.set(layout.at(f), value));
  return r;
}

}  // namespace

TEST_CASE("the absolute limit: the session's own, else creation plus the configured lifetime") {
  field_layout const layout{config::session_fields{}};
  config::session_lifetime const lifetime;  // 12 h
  struct row {
    std::string what;
    std::vector<std::pair<field, std::string>> fields;
    std::optional<epoch_ms> end;
  };
  row const rows[] = {
      {"just created", {{field::created, std::to_string(now)}}, now + 12 * hour},
      {"created in seconds", {{field::created, std::to_string(now / 1000)}}, now + 12 * hour},
      {"own limit is longer",
       {{field::created, std::to_string(now)}, {field::absolute_until, std::to_string(now + 900 * hour)}},
       now + 900 * hour},
      {"own limit is shorter",
       {{field::created, std::to_string(now)}, {field::absolute_until, std::to_string(now + hour)}},
       now + hour},
      {"own limit cannot be read", {{field::created, std::to_string(now)}, {field::absolute_until, "soon"}}, 0},
      {"own limit is empty", {{field::created, std::to_string(now)}, {field::absolute_until, ""}}, 0},
      {"created as a date", {{field::created, "2025-08-01T00:00:00Z"}}, std::nullopt},
      {"nothing known", {}, std::nullopt},
      {"created at the end of time", {{field::created, "9223372036854775807"}}, 9'223'372'036'854'775'807},
  };
  for (auto const& r : rows) {
    INFO(r.what);
    CHECK(absolute_end(with(layout, r.fields), lifetime) == r.end);
  }
}

TEST_CASE("a session is past its absolute limit from that very millisecond on") {
  field_layout const layout{config::session_fields{}};
  config::session_lifetime const lifetime;
  auto const r = with(layout, {{field::created, std::to_string(now)}});
  CHECK_FALSE(past_absolute(r, lifetime, now));
  CHECK_FALSE(past_absolute(r, lifetime, now + 12 * hour - 1));
  CHECK(past_absolute(r, lifetime, now + 12 * hour));
  CHECK(past_absolute(with(layout, {{field::absolute_until, "soon"}}), lifetime, now));
  CHECK_FALSE(past_absolute(with(layout, {}), lifetime, now));
}

TEST_CASE("the idle end: when it was last seen plus its own idle time, or the configured one") {
  field_layout const layout{config::session_fields{}};
  config::session_lifetime const lifetime;  // 30 min
  auto const seen = std::pair{field::last_seen, std::to_string(now)};
  struct row {
    std::string what;
    std::vector<std::pair<field, std::string>> fields;
    std::optional<epoch_ms> end;
  };
  row const rows[] = {
      {"just seen", {seen}, now + 30 * minute},
      {"idle time of its own", {seen, {field::idle, "60"}}, now + minute},
      {"idle time that cannot be read", {seen, {field::idle, "60s"}}, std::nullopt},
      {"idle time below nothing", {seen, {field::idle, "-1"}}, std::nullopt},
      {"idle time without end", {seen, {field::idle, "9000000000000000000"}}, std::nullopt},
      {"never seen", {}, std::nullopt},
      {"seen at a date", {{field::last_seen, "2025-08-01"}}, std::nullopt},
      {"seen at the end of time", {{field::last_seen, "9223372036854775807"}}, std::nullopt},
  };
  for (auto const& r : rows) {
    INFO(r.what);
    CHECK(idle_end(with(layout, r.fields), lifetime) == r.end);
  }
}

TEST_CASE("a touch is due when the session was last seen touch_every ago, or one cannot tell") {
  field_layout const layout{config::session_fields{}};
  config::session_lifetime const lifetime;  // 1 min
  struct row {
    std::string what;
    std::optional<std::string> seen;
    bool due;
  };
  row const rows[] = {
      {"now", std::to_string(now), false},
      {"a little ago", std::to_string(now - minute + 1), false},
      {"long enough ago", std::to_string(now - minute), true},
      {"long ago, in seconds", std::to_string(now / 1000 - 3600), true},
      {"Redis's clock is a little ahead", std::to_string(now + 5000), false},
      {"far in the future", std::to_string(now + hour), true},
      {"absent", std::nullopt, true},
      {"a date", "2025-08-01", true},
  };
  for (auto const& r : rows) {
    INFO(r.what);
    record one{layout};
    if (r.seen) REQUIRE(one.set(layout.at(field::last_seen), *r.seen));
    CHECK(needs_touch(one, lifetime, now) == r.due);
  }
}
