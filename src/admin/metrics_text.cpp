#include "doorward/admin/metrics_text.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "admin/process_stats.hpp"

namespace doorward::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

prometheus::MetricType to_prometheus(obs::metric_type t) noexcept {
  switch (t) {
    case obs::metric_type::counter: return prometheus::MetricType::Counter;
    case obs::metric_type::gauge: return prometheus::MetricType::Gauge;
    case obs::metric_type::histogram: break;
  }
  return prometheus::MetricType::Histogram;
}

/// The samples of one metric. Label values come in the order of the table's label names.
class family {
public:
  explicit family(obs::metric_info const& info) {
    text_.name = info.name;
    text_.help = info.help;
    text_.type = to_prometheus(info.type);
    for (auto rest = info.labels; !rest.empty();) {
      auto const name = rest.substr(0, rest.find(','));
      labels_.emplace_back(name);
      rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    }
  }

  void value(double v, std::initializer_list<std::string_view> labels = {}) {
    auto& m = add(labels);
    // Only the one that belongs to the type is looked at.
    m.counter.value = v;
    m.gauge.value = v;
  }
  void value(std::uint64_t v, std::initializer_list<std::string_view> labels = {}) {
    value(static_cast<double>(v), labels);
  }

  template <auto const& Bounds>
  void value(obs::histogram<Bounds> const& h, std::initializer_list<std::string_view> labels = {}) {
    auto& to = add(labels).histogram;
    auto const& counts = h.counts();
    for (std::size_t i = 0; i < Bounds.size(); ++i) {
      to.sample_count += counts[i];
      to.bucket.push_back({to.sample_count, static_cast<double>(Bounds[i]) / 1e9});
    }
    to.sample_count += counts.back();
    to.sample_sum = static_cast<double>(h.sum().count()) / 1e9;
  }

  [[nodiscard]] MetricFamily take() && { return std::move(text_); }

private:
  ClientMetric& add(std::initializer_list<std::string_view> values) {
    auto& m = text_.metric.emplace_back();
    auto name = labels_.begin();
    for (auto const v : values)
      m.label.push_back({*name++, std::string(v)});
    return m;
  }

  MetricFamily text_;
  std::vector<std::string> labels_;
};

std::string_view name_at(std::vector<std::string> const& names, std::size_t i) noexcept {
  return i < names.size() ? std::string_view(names[i]) : "-";
}

std::string code_text(unsigned status) {
  return status == 0 ? "0" : std::to_string(status);
}

/// How each metric of the table is filled in.
using filler = std::function<void(family&, scrape const&)>;

void for_each_route(scrape const& s, auto const& f) {
  f("-", s.metrics.route(obs::worker_metrics::no_route));
  for (std::size_t i = 0; i < s.metrics.routes(); ++i)
    f(name_at(s.routes, i), s.metrics.route(i));
}

void fill_requests(family& f, scrape const& s) {
  for_each_route(s, [&](std::string_view route, auto const& cells) {
    for (auto const& c : cells.requests)
      f.value(c.count, {route, http::to_string(c.method()), code_text(c.status()), c.what().name()});
  });
}

void fill_upstream_requests(family& f, scrape const& s) {
  for (std::size_t i = 0; i < s.metrics.upstreams().size(); ++i)
    for (auto const& c : s.metrics.upstreams()[i].requests) {
      auto const code = c.what().is_refusal() ? std::string(c.what().reason()) : code_text(c.status());
      f.value(c.count, {name_at(s.upstreams, i), code});
    }
}

void fill_upstream_connections(family& f, scrape const& s) {
  for (std::size_t i = 0; i < s.gauges.upstreams.size(); ++i) {
    f.value(s.gauges.upstreams[i].active, {name_at(s.upstreams, i), "active"});
    f.value(s.gauges.upstreams[i].idle, {name_at(s.upstreams, i), "idle"});
  }
}

// Each value of a closed list has a series from the start: a rate over one that appears with the first failure misses
// that failure.
template <class Enum>
void fill_list(family& f, std::size_t size, auto const& count) {
  for (std::size_t i = 0; i < size; ++i) {
    auto const e = static_cast<Enum>(i);
    f.value(count(e), {name(e)});
  }
}

std::unordered_map<std::string_view, filler> const& fillers() {
  static std::unordered_map<std::string_view, filler> const all{
      {"doorward_http_requests_total", fill_requests},
      {"doorward_http_request_duration_seconds",
       [](family& f, scrape const& s) {
         for_each_route(s, [&](std::string_view route, auto const& cells) { f.value(cells.duration, {route}); });
       }},
      {"doorward_overhead_seconds", [](family& f, scrape const& s) { f.value(s.metrics.overhead()); }},
      {"doorward_session_lookups_total",
       [](family& f, scrape const& s) {
         fill_list<obs::lookup_result>(f, obs::lookup_results, [&](auto r) { return s.metrics.lookups(r); });
       }},
      {"doorward_session_lookup_duration_seconds",
       [](family& f, scrape const& s) { f.value(s.metrics.lookup_duration()); }},
      {"doorward_session_cache_ready", [](family& f, scrape const& s) { f.value(s.gauges.cache_ready); }},
      {"doorward_session_cache_entries", [](family& f, scrape const& s) { f.value(s.gauges.cache_entries); }},
      {"doorward_session_cache_invalidations_total",
       [](family& f, scrape const& s) { f.value(s.gauges.cache_invalidations); }},
      {"doorward_sessions_created_total", [](family& f, scrape const& s) { f.value(s.metrics.sessions_created()); }},
      {"doorward_sessions_ended_total",
       [](family& f, scrape const& s) {
         fill_list<obs::end_reason>(f, obs::end_reasons, [&](auto r) { return s.metrics.sessions_ended(r); });
       }},
      {"doorward_streams_watched", [](family& f, scrape const& s) { f.value(s.gauges.streams_watched); }},
      {"doorward_streams_sessions", [](family& f, scrape const& s) { f.value(s.gauges.sessions_watched); }},
      {"doorward_streams_ended_total",
       [](family& f, scrape const& s) {
         fill_list<obs::stream_end>(f, obs::stream_ends, [&](auto e) { return s.metrics.streams_ended(e); });
       }},
      {"doorward_touch_total",
       [](family& f, scrape const& s) {
         fill_list<obs::touch_result>(f, obs::touch_results, [&](auto r) { return s.metrics.touches(r); });
       }},
      {"doorward_redis_connected", [](family& f, scrape const& s) { f.value(s.gauges.redis_connected); }},
      {"doorward_redis_pending", [](family& f, scrape const& s) { f.value(s.gauges.redis_pending); }},
      {"doorward_redis_reconnects_total", [](family& f, scrape const& s) { f.value(s.gauges.redis_reconnects); }},
      {"doorward_redis_errors_total",
       [](family& f, scrape const& s) {
         for (auto const& e : s.gauges.redis_errors)
           f.value(e.count, {e.kind});
       }},
      {"doorward_upstream_requests_total", fill_upstream_requests},
      {"doorward_upstream_request_duration_seconds",
       [](family& f, scrape const& s) {
         for (std::size_t i = 0; i < s.metrics.upstreams().size(); ++i)
           f.value(s.metrics.upstreams()[i].duration, {name_at(s.upstreams, i)});
       }},
      {"doorward_upstream_connections", fill_upstream_connections},
      {"doorward_login_in_flight", [](family& f, scrape const& s) { f.value(s.logins_in_flight); }},
      {"doorward_login_queued", [](family& f, scrape const& s) { f.value(s.logins_queued); }},
      {"doorward_login_shed_total",
       [](family& f, scrape const& s) {
         fill_list<obs::shed_reason>(f, obs::shed_reasons, [&](auto r) { return s.metrics.logins_shed(r); });
       }},
      {"doorward_login_failures_total", [](family& f, scrape const& s) { f.value(s.metrics.logins_failed()); }},
      {"doorward_login_bans_total",
       [](family& f, scrape const& s) {
         fill_list<obs::banned_by>(f, obs::ban_kinds, [&](auto b) { return s.metrics.login_bans(b); });
       }},
      {"doorward_reserved_headers_stripped_total",
       [](family& f, scrape const& s) { f.value(s.metrics.reserved_headers_stripped()); }},
      {"doorward_connections",
       [](family& f, scrape const& s) {
         f.value(s.gauges.connections_active, {"active"});
         f.value(s.gauges.connections_idle, {"idle"});
         f.value(s.gauges.connections_tunnel, {"tunnel"});
       }},
      {"doorward_tls_handshakes_total",
       [](family& f, scrape const& s) {
         fill_list<obs::handshake_result>(f, obs::handshake_results,
                                          [&](auto r) { return s.metrics.tls_handshakes(r); });
       }},
      {"doorward_access_log_dropped_total", [](family& f, scrape const& s) { f.value(s.access_log_dropped); }},
      {"doorward_config_last_reload_successful",
       [](family& f, scrape const&) { f.value(std::uint64_t{1}); }},  // there is no reload that could fail yet
      {"doorward_build_info", [](family& f, scrape const& s) { f.value(1.0, {s.version}); }},
  };
  return all;
}

void append_process(std::vector<MetricFamily>& to) {
  auto const p = read_process_stats();
  auto const add = [&](std::string_view name, auto value) {
    family f(obs::metric(name));
    f.value(value);
    to.push_back(std::move(f).take());
  };
  add("process_cpu_seconds_total", p.cpu_seconds);
  add("process_resident_memory_bytes", p.resident_bytes);
  add("process_virtual_memory_bytes", p.virtual_bytes);
  add("process_open_fds", p.open_fds);
  add("process_max_fds", p.max_fds);
  add("process_start_time_seconds", p.start_time_seconds);
}

}  // namespace

std::string metrics_text(scrape const& s) {
  std::vector<MetricFamily> families;
  for (auto const& info : obs::metric_table()) {
    auto const fill = fillers().find(info.name);
    if (fill == fillers().end()) continue;  // the process's own, added below
    family f(info);
    fill->second(f, s);
    families.push_back(std::move(f).take());
  }
  append_process(families);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace doorward::admin
