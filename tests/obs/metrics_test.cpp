#include "doorward/obs/metrics.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "catch.hpp"
#include "heap_use.hpp"

using namespace doorward;
using namespace doorward::obs;
using namespace std::chrono_literals;

namespace {

std::uint64_t requests(worker_metrics::route_cells const& r, http::method m, unsigned status, decision d) {
  for (auto const& c : r.requests)
    if (c.method() == m && c.status() == status && c.what() == d) return c.count;
  return 0;
}

}  // namespace

TEST_CASE("requests are counted by route, method, status and decision") {
  worker_metrics m(2, 0);
  m.request(0, http::method::get, 200, decision::forward, 1ms);
  m.request(0, http::method::get, 200, decision::forward, 2ms);
  m.request(0, http::method::post, 200, decision::forward, 2ms);
  m.request(0, http::method::get, 401, errc::no_session, 1us);
  m.request(0, http::method::get, 200, decision::forward, 3ms);
  m.request(1, http::method::get, 200, decision::forward, 3ms);

  auto const& first = m.route(0);
  CHECK(requests(first, http::method::get, 200, decision::forward) == 3);
  CHECK(requests(first, http::method::post, 200, decision::forward) == 1);
  CHECK(requests(first, http::method::get, 401, errc::no_session) == 1);
  CHECK(first.requests.size() == 3);
  CHECK(first.duration.count() == 5);
  CHECK(first.duration.sum() == 8ms + 1us);
  CHECK(requests(m.route(1), http::method::get, 200, decision::forward) == 1);
  CHECK(m.route(worker_metrics::no_route).requests.empty());
}

TEST_CASE("a request without a route, or with one that is gone, has a row of its own") {
  worker_metrics m(1, 1);
  m.request(worker_metrics::no_route, http::method::get, 404, errc::no_route, 1ms);
  m.request(17, http::method::get, 404, errc::no_route, 1ms);
  CHECK(requests(m.route(worker_metrics::no_route), http::method::get, 404, errc::no_route) == 2);
  CHECK(m.route(0).requests.empty());
  m.upstream_request(17, 200, 1ms);
  m.upstream_failed(17, errc::upstream_reset);
  CHECK(m.upstreams()[0].requests.empty());
}

TEST_CASE("an upstream that makes up status codes does not make up labels") {
  worker_metrics m(1, 1);
  for (unsigned s = 600; s < 1000; ++s)
    m.request(0, http::method::get, s, decision::forward, 1ms);
  m.request(0, http::method::get, 99, decision::forward, 1ms);
  CHECK(m.route(0).requests.size() == 1);
  CHECK(requests(m.route(0), http::method::get, 0, decision::forward) == 401);
}

TEST_CASE("counting what was seen before does not allocate") {
  worker_metrics m(3, 1);
  auto const all = [&] {
    m.request(0, http::method::get, 200, decision::forward, 1ms);
    m.request(1, http::method::get, 401, errc::no_session, 1ms);
    m.request(0, http::method::post, 503, errc::store_timeout, 250ms);
    m.lookup(lookup_result::hit, 200us);
    m.lookup(lookup_result::malformed);
    m.overhead(20us);
    m.touch(touch_result::extended);
    m.upstream_request(0, 200, 1ms);
    m.upstream_failed(0, errc::upstream_reset);
  };
  all();
  auto const before = heap_use_so_far().taken;
  for (int i = 0; i < 100; ++i)
    all();
  CHECK(heap_use_so_far().taken == before);
}

TEST_CASE("counters of workers add up") {
  worker_metrics a(2, 1);
  worker_metrics b(2, 1);
  a.request(0, http::method::get, 200, decision::forward, 1ms);
  b.request(0, http::method::get, 200, decision::forward, 1ms);
  b.request(0, http::method::get, 302, decision::redirect, 1ms);
  b.request(1, http::method::put, 200, decision::forward, 1ms);
  a.lookup(lookup_result::hit, 1ms);
  b.lookup(lookup_result::hit, 1ms);
  b.lookup(lookup_result::malformed);
  a.session_created();
  b.session_created();
  a.session_ended(end_reason::logout);
  b.session_ended(end_reason::everywhere, 4);
  a.stream_ended(stream_end::logout);
  b.stream_ended(stream_end::logout);
  b.stream_ended(stream_end::forbidden);
  b.touch(touch_result::gone);
  a.reserved_headers_stripped(2);
  b.reserved_headers_stripped(3);
  a.overhead(10us);
  b.overhead(30us);
  a.upstream_request(0, 200, 1ms);
  b.upstream_request(0, 200, 1ms);
  b.upstream_failed(0, errc::upstream_connect);

  a += b;
  CHECK(requests(a.route(0), http::method::get, 200, decision::forward) == 2);
  CHECK(requests(a.route(0), http::method::get, 302, decision::redirect) == 1);
  CHECK(requests(a.route(1), http::method::put, 200, decision::forward) == 1);
  CHECK(a.route(0).duration.count() == 3);
  CHECK(a.lookups(lookup_result::hit) == 2);
  CHECK(a.lookups(lookup_result::malformed) == 1);
  CHECK(a.lookup_duration().count() == 2);
  CHECK(a.sessions_created() == 2);
  CHECK(a.sessions_ended(end_reason::logout) == 1);
  CHECK(a.sessions_ended(end_reason::everywhere) == 4);
  CHECK(a.streams_ended(stream_end::logout) == 2);
  CHECK(a.streams_ended(stream_end::forbidden) == 1);
  CHECK(a.touches(touch_result::gone) == 1);
  CHECK(a.reserved_headers_stripped() == 5);
  CHECK(a.overhead().sum() == 40us);
  REQUIRE(a.upstreams()[0].requests.size() == 2);
  CHECK(a.upstreams()[0].requests[0].count == 2);
  CHECK(a.upstreams()[0].duration.count() == 2);

  worker_metrics none;
  none += a;  // what a collector starts with
  CHECK(none.routes() == 2);
  CHECK(requests(none.route(0), http::method::get, 200, decision::forward) == 2);
}

TEST_CASE("gauges of workers add up, errors by kind") {
  worker_gauges a;
  a.connections_active = 1;
  a.upstreams = {{1, 2}};
  a.redis_connected = 1;
  a.redis_errors = {{"timeout", 2}};
  worker_gauges b;
  b.connections_active = 2;
  b.connections_idle = 3;
  b.connections_tunnel = 4;
  b.upstreams = {{10, 20}, {30, 40}};
  b.redis_connected = 1;
  b.redis_pending = 7;
  b.redis_reconnects = 5;
  a.cache_ready = b.cache_ready = 1;
  a.cache_entries = 3;
  b.cache_entries = 4;
  b.cache_invalidations = 9;
  b.redis_errors = {{"loading", 1}, {"timeout", 3}};
  a += b;
  CHECK(a.connections_active == 3);
  CHECK(a.connections_idle == 3);
  CHECK(a.connections_tunnel == 4);
  REQUIRE(a.upstreams.size() == 2);
  CHECK(a.upstreams[0].active == 11);
  CHECK(a.upstreams[1].idle == 40);
  CHECK(a.redis_connected == 2);
  CHECK(a.redis_pending == 7);
  CHECK(a.redis_reconnects == 5);
  CHECK(a.cache_ready == 2);
  CHECK(a.cache_entries == 7);
  CHECK(a.cache_invalidations == 9);
  REQUIRE(a.redis_errors.size() == 2);
  CHECK(a.redis_errors[0].count == 5);
  CHECK(a.redis_errors[1].kind == "loading");
}

TEST_CASE("a duration falls into the bucket whose bound it does not exceed") {
  histogram<request_bounds> h;
  h.observe(0ns);
  h.observe(-5ms);
  h.observe(500us);
  h.observe(500us + 1ns);
  h.observe(60s);
  h.observe(61s);
  CHECK(h.counts()[0] == 3);
  CHECK(h.counts()[1] == 1);
  CHECK(h.counts()[request_bounds.size() - 1] == 1);
  CHECK(h.counts()[request_bounds.size()] == 1);
  CHECK(h.count() == 6);
  CHECK(h.sum() == 121s + 1ms + 1ns);
}

TEST_CASE("bounds of histograms ascend") {
  CHECK(std::ranges::is_sorted(request_bounds));
  CHECK(std::ranges::is_sorted(overhead_bounds));
  CHECK(std::ranges::is_sorted(lookup_bounds));
}

TEST_CASE("labels have the names that are documented") {
  std::string lookups;
  for (std::size_t i = 0; i < lookup_results; ++i)
    (lookups += name(static_cast<lookup_result>(i))) += '|';
  CHECK(lookups == "hit|miss|ghost|malformed|coalesced|cached|error|elsewhere|undecodable|");

  std::string streams;
  for (std::size_t i = 0; i < stream_ends; ++i)
    (streams += name(static_cast<stream_end>(i))) += '|';
  CHECK(streams ==
        "logout|session_replaced|session_revoked|session_displaced|session_expired|session_unknown|session_changed|"
        "forbidden|");

  CHECK(decision(decision::forward).name() == "forward");
  CHECK(decision(decision::respond).name() == "respond");
  CHECK(decision(decision::redirect).name() == "redirect");
  CHECK(decision(decision::login).name() == "login");
  CHECK(decision(decision::logout).name() == "logout");
  CHECK(decision(decision::own).name() == "own");
  CHECK(decision(decision::allow).name() == "allow");
  CHECK(decision(decision::own).reason().empty());
  CHECK(decision(errc::session_ghost).name() == "no_session");
  CHECK(decision(errc::session_ghost).reason() == "session_ghost");
  CHECK(decision(errc::internal).name() == "internal");
}

// What dashboards and alerts are written against: a change here is a change for every user.
TEST_CASE("the list of metrics is the one that is promised") {
  std::string list;
  for (auto const& m : metric_table()) {
    list += m.name;
    list += '{';
    list += m.labels;
    list += "}\n";
  }
  CHECK(list ==
        "doorward_http_requests_total{route,method,code,decision}\n"
        "doorward_http_request_duration_seconds{route}\n"
        "doorward_overhead_seconds{}\n"
        "doorward_session_lookups_total{result}\n"
        "doorward_session_lookup_duration_seconds{}\n"
        "doorward_session_cache_ready{}\n"
        "doorward_session_cache_entries{}\n"
        "doorward_session_cache_invalidations_total{}\n"
        "doorward_sessions_created_total{}\n"
        "doorward_sessions_ended_total{reason}\n"
        "doorward_streams_watched{}\n"
        "doorward_streams_sessions{}\n"
        "doorward_streams_ended_total{reason}\n"
        "doorward_touch_total{result}\n"
        "doorward_redis_connected{}\n"
        "doorward_redis_pending{}\n"
        "doorward_redis_reconnects_total{}\n"
        "doorward_redis_errors_total{kind}\n"
        "doorward_upstream_requests_total{upstream,code}\n"
        "doorward_upstream_request_duration_seconds{upstream}\n"
        "doorward_upstream_connections{upstream,state}\n"
        "doorward_login_in_flight{}\n"
        "doorward_login_queued{}\n"
        "doorward_login_shed_total{reason}\n"
        "doorward_login_failures_total{}\n"
        "doorward_login_bans_total{by}\n"
        "doorward_reserved_headers_stripped_total{}\n"
        "doorward_connections{state}\n"
        "doorward_tls_handshakes_total{result}\n"
        "doorward_access_log_dropped_total{}\n"
        "doorward_config_last_reload_successful{}\n"
        "doorward_build_info{version}\n"
        "process_cpu_seconds_total{}\n"
        "process_resident_memory_bytes{}\n"
        "process_virtual_memory_bytes{}\n"
        "process_open_fds{}\n"
        "process_max_fds{}\n"
        "process_start_time_seconds{}\n");
}

TEST_CASE("every metric is declared once and follows the naming conventions") {
  std::set<std::string_view> seen;
  for (auto const& m : metric_table()) {
    CAPTURE(std::string(m.name));
    CHECK(seen.insert(m.name).second);
    CHECK(m.help.ends_with('.'));
    CHECK(m.name.ends_with("_total") == (m.type == metric_type::counter));
    if (m.type == metric_type::histogram) CHECK(m.name.ends_with("_seconds"));
    CHECK(&metric(m.name) == &m);
  }
}
