#include "doorward/obs/metrics.hpp"

#include <algorithm>
#include <cassert>

namespace doorward::obs {
namespace {

template <std::size_t N>
void add_up(std::array<std::uint64_t, N>& to, std::array<std::uint64_t, N> const& from) noexcept {
  for (std::size_t i = 0; i < N; ++i)
    to[i] += from[i];
}

}  // namespace

void worker_metrics::add(std::vector<request_cell>& cells, std::uint32_t& last, std::uint32_t key, std::uint64_t n) {
  auto const at = std::ranges::find(cells, key, &request_cell::key);
  last = static_cast<std::uint32_t>(at - cells.begin());
  if (at != cells.end())
    at->count += n;
  else
    cells.push_back({key, n});
}

worker_metrics& worker_metrics::operator+=(worker_metrics const& other) {
  routes_.resize(std::max(routes_.size(), other.routes_.size()));
  for (std::size_t i = 0; i < other.routes_.size(); ++i) {
    for (auto const& c : other.routes_[i].requests)
      add(routes_[i].requests, routes_[i].last, c.key, c.count);
    routes_[i].duration += other.routes_[i].duration;
  }
  upstreams_.resize(std::max(upstreams_.size(), other.upstreams_.size()));
  for (std::size_t i = 0; i < other.upstreams_.size(); ++i) {
    for (auto const& c : other.upstreams_[i].requests)
      add(upstreams_[i].requests, upstreams_[i].last, c.key, c.count);
    upstreams_[i].duration += other.upstreams_[i].duration;
  }
  overhead_ += other.overhead_;
  lookup_duration_ += other.lookup_duration_;
  add_up(lookups_, other.lookups_);
  add_up(sessions_ended_, other.sessions_ended_);
  add_up(streams_ended_, other.streams_ended_);
  add_up(touches_, other.touches_);
  add_up(handshakes_, other.handshakes_);
  add_up(logins_shed_, other.logins_shed_);
  add_up(login_bans_, other.login_bans_);
  logins_failed_ += other.logins_failed_;
  sessions_created_ += other.sessions_created_;
  stripped_ += other.stripped_;
  return *this;
}

worker_gauges& worker_gauges::operator+=(worker_gauges const& other) {
  connections_active += other.connections_active;
  connections_idle += other.connections_idle;
  connections_tunnel += other.connections_tunnel;
  streams_watched += other.streams_watched;
  sessions_watched += other.sessions_watched;
  upstreams.resize(std::max(upstreams.size(), other.upstreams.size()));
  for (std::size_t i = 0; i < other.upstreams.size(); ++i) {
    upstreams[i].active += other.upstreams[i].active;
    upstreams[i].idle += other.upstreams[i].idle;
  }
  redis_connected += other.redis_connected;
  redis_pending += other.redis_pending;
  redis_reconnects += other.redis_reconnects;
  cache_ready += other.cache_ready;
  cache_entries += other.cache_entries;
  cache_invalidations += other.cache_invalidations;
  for (auto const& e : other.redis_errors) {
    auto const at = std::ranges::find(redis_errors, e.kind, &kind_count::kind);
    if (at != redis_errors.end())
      at->count += e.count;
    else
      redis_errors.push_back(e);
  }
  return *this;
}

std::vector<metric_info> const& metric_table() {
  using enum metric_type;
  static std::vector<metric_info> const table{
      {"doorward_http_requests_total", counter, "Requests that were answered or given up.",
       "route,method,code,decision"},
      {"doorward_http_request_duration_seconds", histogram,
       "From the complete header section of a request to the last byte of its answer.", "route"},
      {"doorward_overhead_seconds", histogram,
       "Time added by doorward itself: without waiting for Redis, the upstream and the client.", ""},
      {"doorward_session_lookups_total", counter, "Session look-ups by how they ended.", "result"},
      {"doorward_session_lookup_duration_seconds", histogram, "Waiting for Redis to answer a look-up.", ""},
      {"doorward_session_cache_ready", gauge, "Workers whose near-cache is in use.", ""},
      {"doorward_session_cache_entries", gauge, "Copies of sessions in the near-caches.", ""},
      {"doorward_session_cache_invalidations_total", counter, "Changes of sessions that Redis told the near-caches.",
       ""},
      {"doorward_sessions_created_total", counter, "Sessions written after a login.", ""},
      {"doorward_sessions_ended_total", counter, "Sessions deleted or found past their absolute limit.", "reason"},
      {"doorward_streams_watched", gauge, "WebSockets and event streams that end with their session.", ""},
      {"doorward_streams_sessions", gauge, "Sessions of those, each counted once a worker.", ""},
      {"doorward_streams_ended_total", counter, "WebSockets and event streams that ended because their session did.",
       "reason"},
      {"doorward_touch_total", counter, "Attempts to extend a session's idle time.", "result"},
      {"doorward_redis_connected", gauge, "Connections to Redis that can be used.", ""},
      {"doorward_redis_pending", gauge, "Commands waiting for their reply.", ""},
      {"doorward_redis_reconnects_total", counter, "Connections to Redis made after the first.", ""},
      {"doorward_redis_errors_total", counter, "Failures of Redis or of the way to it.", "kind"},
      {"doorward_upstream_requests_total", counter,
       "Requests sent to an upstream, by the status of the answer or the reason why none came.", "upstream,code"},
      {"doorward_upstream_request_duration_seconds", histogram,
       "From asking for a connection to the last byte of the upstream's answer.", "upstream"},
      {"doorward_upstream_connections", gauge, "Connections to an upstream: in use, or kept for later.",
       "upstream,state"},
      {"doorward_login_in_flight", gauge, "Requests that the identity service has and has not answered.", ""},
      {"doorward_login_queued", gauge, "Requests that wait for their turn at the identity service.", ""},
      {"doorward_login_shed_total", counter, "Requests to the identity service that were turned away.", "reason"},
      {"doorward_login_failures_total", counter, "Logins that the identity service refused.", ""},
      {"doorward_login_bans_total", counter, "Bans after too many failed logins.", "by"},
      {"doorward_reserved_headers_stripped_total", counter, "Header fields removed because only doorward may set them.",
       ""},
      {"doorward_connections", gauge, "Clients' connections: serving a request, idle, or upgraded.", "state"},
      {"doorward_tls_handshakes_total", counter, "TLS handshakes with clients, by how they ended.", "result"},
      {"doorward_access_log_dropped_total", counter, "Lines of the access log that could not be written.", ""},
      {"doorward_config_last_reload_successful", gauge, "1 when the configuration on disk is the one in use.", ""},
      {"doorward_build_info", gauge, "Always 1; says which version is running.", "version"},
      {"process_cpu_seconds_total", counter, "User and system CPU time.", ""},
      {"process_resident_memory_bytes", gauge, "Resident memory.", ""},
      {"process_virtual_memory_bytes", gauge, "Virtual memory.", ""},
      {"process_open_fds", gauge, "Open file descriptors.", ""},
      {"process_max_fds", gauge, "Most file descriptors that may be open.", ""},
      {"process_start_time_seconds", gauge, "Start of the process, seconds since the epoch.", ""},
  };
  return table;
}

metric_info const& metric(std::string_view name) {
  auto const at = std::ranges::find(metric_table(), name, &metric_info::name);
  assert(at != metric_table().end());
  return *at;
}

}  // namespace doorward::obs
