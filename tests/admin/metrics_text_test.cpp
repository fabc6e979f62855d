#include "doorward/admin/metrics_text.hpp"

#include <cmath>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "admin/process_stats.hpp"
#include "catch.hpp"

using namespace doorward;
using namespace doorward::admin;
using namespace doorward::obs;
using namespace std::chrono_literals;

namespace {

scrape sample() {
  scrape s;
  s.routes = {"admin", "a \"quoted\" \\ route"};
  s.upstreams = {"app"};
  s.version = "0.1.0";
  s.metrics = worker_metrics(2, 1);
  s.metrics.request(0, http::method::get, 200, decision::forward, 700us);
  s.metrics.request(0, http::method::get, 200, decision::forward, 90s);
  s.metrics.request(0, http::method::get, 401, errc::session_ghost, 1us);
  s.metrics.request(1, http::method::other, 302, decision::redirect, 1ms);
  s.metrics.request(worker_metrics::no_route, http::method::get, 404, errc::no_route, 1ms);
  s.metrics.lookup(lookup_result::hit, 200us);
  s.metrics.upstream_request(0, 200, 500us);
  s.metrics.upstream_failed(0, errc::upstream_reset);
  s.metrics.session_ended(end_reason::everywhere, 3);
  s.gauges.upstreams = {{2, 5}};
  s.gauges.redis_connected = 2;
  s.gauges.redis_errors = {{"timeout", 4}};
  s.gauges.connections_idle = 9;
  s.access_log_dropped = 11;
  return s;
}

/// The samples by series, and the families by name.
struct exposition {
  std::map<std::string, std::string> samples;
  std::map<std::string, std::string> types;
  std::set<std::string> families;
};

// The grammar of the text format 0.0.4, as far as it is used here.
exposition parse(std::string const& text) {
  static std::regex const sample(
      R"re(([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*\})?) (\S+))re");
  static std::regex const comment(R"(# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+))");
  exposition e;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    std::smatch m;
    if (std::regex_match(line, m, comment)) {
      e.families.insert(m[2]);
      if (m[1] == "TYPE") e.types[m[2]] = m[3];
    } else {
      REQUIRE(std::regex_match(line, m, sample));
      CHECK(e.samples.emplace(m[1], m[2]).second);  // no series twice
    }
  }
  return e;
}

}  // namespace

TEST_CASE("what is counted can be scraped") {
  auto const e = parse(metrics_text(sample()));
  auto const value = [&](std::string const& series) {
    auto const at = e.samples.find(series);
    return at == e.samples.end() ? "(none)" : at->second;
  };
  auto const requests = std::string("doorward_http_requests_total");
  CHECK(value(requests + R"({route="admin",method="GET",code="200",decision="forward"})") == "2");
  CHECK(value(requests + R"({route="admin",method="GET",code="401",decision="no_session"})") == "1");
  CHECK(value(requests + R"({route="a \"quoted\" \\ route",method="other",code="302",decision="redirect"})") == "1");
  CHECK(value(requests + R"({route="-",method="GET",code="404",decision="not_found"})") == "1");

  auto const duration = std::string("doorward_http_request_duration_seconds");
  CHECK(value(duration + R"(_bucket{route="admin",le="0.0005"})") == "1");
  CHECK(value(duration + R"(_bucket{route="admin",le="0.001"})") == "2");
  CHECK(value(duration + R"(_bucket{route="admin",le="60"})") == "2");
  CHECK(value(duration + R"(_bucket{route="admin",le="+Inf"})") == "3");
  CHECK(value(duration + R"(_count{route="admin"})") == "3");
  CHECK(std::abs(std::stod(value(duration + R"(_sum{route="admin"})")) - 90.000701) < 1e-6);

  CHECK(value(R"(doorward_session_lookups_total{result="hit"})") == "1");
  CHECK(value(R"(doorward_session_lookups_total{result="error"})") == "0");
  CHECK(value(R"(doorward_sessions_ended_total{reason="everywhere"})") == "3");
  CHECK(value(R"(doorward_touch_total{result="gone"})") == "0");
  CHECK(value(R"(doorward_upstream_requests_total{upstream="app",code="200"})") == "1");
  CHECK(value(R"(doorward_upstream_requests_total{upstream="app",code="upstream_reset"})") == "1");
  CHECK(value(R"(doorward_upstream_connections{upstream="app",state="idle"})") == "5");
  CHECK(value(R"(doorward_redis_errors_total{kind="timeout"})") == "4");
  CHECK(value("doorward_redis_connected") == "2");
  CHECK(value(R"(doorward_connections{state="idle"})") == "9");
  CHECK(value("doorward_access_log_dropped_total") == "11");
  CHECK(value("doorward_config_last_reload_successful") == "1");
  CHECK(value(R"(doorward_build_info{version="0.1.0"})") == "1");
}

TEST_CASE("every metric of the table is exposed, and nothing else") {
  auto const e = parse(metrics_text(sample()));
  std::set<std::string> declared;
  for (auto const& m : metric_table()) {
    declared.emplace(m.name);
    CAPTURE(std::string(m.name));
    auto const type = m.type == metric_type::counter ? "counter" : m.type == metric_type::gauge ? "gauge" : "histogram";
    CHECK(e.types.at(std::string(m.name)) == type);
  }
  CHECK(e.families == declared);
}

TEST_CASE("every metric is explained in the documentation, and none that is not there") {
  std::ifstream file(DOORWARD_SOURCE_DIR "/docs/operations.md");
  REQUIRE(file);
  std::set<std::string> documented;
  static std::regex const row(R"re(\| `([a-z_]+)(?:\{([a-z,]+)\})?` \| (counter|gauge|histogram) \|.*)re");
  for (std::string line; std::getline(file, line);)
    if (std::smatch m; std::regex_match(line, m, row))
      documented.insert(m[1].str() + "{" + m[2].str() + "} " + m[3].str());
  std::set<std::string> declared;
  for (auto const& m : metric_table()) {
    auto const type = m.type == metric_type::counter ? "counter" : m.type == metric_type::gauge ? "gauge" : "histogram";
    declared.insert(std::string(m.name) + "{" + std::string(m.labels) + "} " + type);
  }
  CHECK(documented == declared);
}

TEST_CASE("a route that the names do not know is shown as none") {
  auto s = sample();
  s.routes.clear();
  s.upstreams.clear();
  CHECK_FALSE(metrics_text(s).empty());
}

TEST_CASE("the process knows itself") {
  auto const p = read_process_stats();
  CHECK(p.resident_bytes > 1'000'000);
  CHECK(p.virtual_bytes > p.resident_bytes);
  CHECK(p.open_fds >= 3);
  CHECK(p.max_fds >= p.open_fds);
  CHECK(p.start_time_seconds > 1.6e9);
}

TEST_CASE("a program's name does not shift the fields behind it") {
  process_stats p;
  apply_stat(p,
             "42 (a) R (b) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 1000 4096000 100 18446744073709551615",
             100, 1'700'000'000.0, 4096);
  CHECK(std::abs(p.cpu_seconds - 3.0) < 1e-6);
  CHECK(std::abs(p.start_time_seconds - 1'700'000'010.0) < 1e-6);
  CHECK(p.virtual_bytes == 4'096'000);
  CHECK(p.resident_bytes == 409'600);
}

TEST_CASE("a stat file that is none changes nothing") {
  process_stats p;
  apply_stat(p, "", 100, 0, 4096);
  apply_stat(p, "no parenthesis", 100, 0, 4096);
  apply_stat(p, "1 (x)", 100, 0, 4096);
  CHECK(p.cpu_seconds == 0);
  CHECK(p.resident_bytes == 0);
}
