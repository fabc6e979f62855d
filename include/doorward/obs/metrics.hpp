#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "doorward/base/errc.hpp"
#include "doorward/http/head.hpp"
#include "doorward/obs/histogram.hpp"
#include "doorward/obs/labels.hpp"

namespace doorward::obs {

/// The counters of one worker. Only the worker's own thread touches them, so they are plain integers; when somebody
/// wants to see them the worker copies them and hands the copy over, and the copies are added up. Routes and upstreams
/// are indexes into the configuration the counters were made for; counting does not allocate once a combination of
/// labels has been seen.
class worker_metrics {
public:
  /// The route of a request that matched none; label value "-".
  static constexpr std::size_t no_route = std::numeric_limits<std::size_t>::max();

  /// Requests of one route with one method, status and decision.
  struct request_cell {
    std::uint32_t key = 0;
    std::uint64_t count = 0;
    [[nodiscard]] http::method method() const noexcept { return static_cast<http::method>(key >> 24); }
    [[nodiscard]] decision what() const noexcept {
      return decision::from_value(static_cast<std::uint8_t>(key >> 16 & 0xff));
    }
    [[nodiscard]] unsigned status() const noexcept { return key & 0xffff; }
  };
  struct route_cells {
    std::vector<request_cell> requests;
    std::uint32_t last = 0;  ///< the cell hit last: most routes answer the same again and again
    histogram<request_bounds> duration;
  };
  /// Answers of one upstream by status, or by errc where none came.
  struct upstream_cells {
    std::vector<request_cell> requests;  ///< `method` is not used
    std::uint32_t last = 0;
    histogram<request_bounds> duration;
  };

  worker_metrics() : worker_metrics(0, 0) {}
  worker_metrics(std::size_t routes, std::size_t upstreams) : routes_(routes + 1), upstreams_(upstreams) {}

  /// Once for every request that was answered or given up, when its last byte has left. `total`: from the complete
  /// header section of the request to then. `status`: 499 when the client was gone before an answer.
  void request(std::size_t route, http::method method, unsigned status, decision what, nanoseconds total) {
    // The row of requests without a route stands first, so that no_route + 1 == 0 finds it without a branch.
    auto const row = route + 1;
    auto& r = routes_[row < routes_.size() ? row : 0];
    count(r.requests, r.last, key_of(method, status, what));
    r.duration.observe(total);
  }

  /// The time doorward itself added to a request: total, less waiting for the store, the upstream and the client.
  void overhead(nanoseconds added) noexcept { overhead_.observe(added); }

  /// A look-up that waited for Redis.
  void lookup(lookup_result r, nanoseconds took) noexcept {
    ++lookups_[static_cast<std::size_t>(r)];
    lookup_duration_.observe(took);
  }
  /// A look-up that did not have to.
  void lookup(lookup_result r) noexcept { ++lookups_[static_cast<std::size_t>(r)]; }

  void session_created() noexcept { ++sessions_created_; }
  void session_ended(end_reason r, std::uint64_t n = 1) noexcept { sessions_ended_[static_cast<std::size_t>(r)] += n; }
  void stream_ended(stream_end e) noexcept { ++streams_ended_[static_cast<std::size_t>(e)]; }
  void touch(touch_result r, std::uint64_t n = 1) noexcept { touches_[static_cast<std::size_t>(r)] += n; }

  /// Fields removed because their name is reserved: identity headers from clients, grants from upstreams that may not
  /// give any.
  void reserved_headers_stripped(std::uint64_t n) noexcept { stripped_ += n; }

  void login_shed(shed_reason r) noexcept { ++logins_shed_[static_cast<std::size_t>(r)]; }
  void login_failed() noexcept { ++logins_failed_; }
  void login_ban(banned_by b) noexcept { ++login_bans_[static_cast<std::size_t>(b)]; }

  void tls_handshake(handshake_result r) noexcept { ++handshakes_[static_cast<std::size_t>(r)]; }

  /// An answer of an upstream. `took`: from asking for a connection to the response's last byte.
  void upstream_request(std::size_t upstream, unsigned status, nanoseconds took) {
    if (upstream >= upstreams_.size()) return;
    auto& u = upstreams_[upstream];
    count(u.requests, u.last, key_of(http::method::other, status, decision::forward));
    u.duration.observe(took);
  }
  /// No answer, or only the beginning of one.
  void upstream_failed(std::size_t upstream, errc why) {
    if (upstream >= upstreams_.size()) return;
    auto& u = upstreams_[upstream];
    count(u.requests, u.last, key_of(http::method::other, 0, why));
  }

  /// Adds another worker's counters; both must be of the same configuration (or the larger one wins).
  worker_metrics& operator+=(worker_metrics const& other);

  /// `route`: an index, or no_route.
  [[nodiscard]] route_cells const& route(std::size_t route) const noexcept { return routes_[route + 1]; }
  [[nodiscard]] std::size_t routes() const noexcept { return routes_.size() - 1; }
  [[nodiscard]] std::vector<upstream_cells> const& upstreams() const noexcept { return upstreams_; }
  [[nodiscard]] histogram<overhead_bounds> const& overhead() const noexcept { return overhead_; }
  [[nodiscard]] histogram<lookup_bounds> const& lookup_duration() const noexcept { return lookup_duration_; }
  [[nodiscard]] std::uint64_t lookups(lookup_result r) const noexcept { return lookups_[static_cast<std::size_t>(r)]; }
  [[nodiscard]] std::uint64_t sessions_created() const noexcept { return sessions_created_; }
  [[nodiscard]] std::uint64_t sessions_ended(end_reason r) const noexcept {
    return sessions_ended_[static_cast<std::size_t>(r)];
  }
  [[nodiscard]] std::uint64_t streams_ended(stream_end e) const noexcept {
    return streams_ended_[static_cast<std::size_t>(e)];
  }
  [[nodiscard]] std::uint64_t touches(touch_result r) const noexcept { return touches_[static_cast<std::size_t>(r)]; }
  [[nodiscard]] std::uint64_t reserved_headers_stripped() const noexcept { return stripped_; }
  [[nodiscard]] std::uint64_t logins_shed(shed_reason r) const noexcept {
    return logins_shed_[static_cast<std::size_t>(r)];
  }
  [[nodiscard]] std::uint64_t logins_failed() const noexcept { return logins_failed_; }
  [[nodiscard]] std::uint64_t login_bans(banned_by b) const noexcept {
    return login_bans_[static_cast<std::size_t>(b)];
  }
  [[nodiscard]] std::uint64_t tls_handshakes(handshake_result r) const noexcept {
    return handshakes_[static_cast<std::size_t>(r)];
  }

private:
  [[nodiscard]] static constexpr std::uint32_t key_of(http::method m, unsigned status, decision what) noexcept {
    // An upstream may answer 999; only what HTTP knows becomes a label of its own.
    auto const known = status >= 100 && status <= 599 ? status : 0;
    return static_cast<std::uint32_t>(m) << 24 | static_cast<std::uint32_t>(what.value()) << 16 | known;
  }

  static void count(std::vector<request_cell>& cells, std::uint32_t& last, std::uint32_t key) {
    if (last < cells.size() && cells[last].key == key) [[likely]] {
      ++cells[last].count;
      return;
    }
    add(cells, last, key, 1);
  }
  static void add(std::vector<request_cell>& cells, std::uint32_t& last, std::uint32_t key, std::uint64_t n);

  std::vector<route_cells> routes_;  ///< [0] is no_route
  std::vector<upstream_cells> upstreams_;
  histogram<overhead_bounds> overhead_;
  histogram<lookup_bounds> lookup_duration_;
  std::array<std::uint64_t, lookup_results> lookups_{};
  std::array<std::uint64_t, end_reasons> sessions_ended_{};
  std::array<std::uint64_t, stream_ends> streams_ended_{};
  std::array<std::uint64_t, touch_results> touches_{};
  std::array<std::uint64_t, handshake_results> handshakes_{};
  std::array<std::uint64_t, shed_reasons> logins_shed_{};
  std::array<std::uint64_t, ban_kinds> login_bans_{};
  std::uint64_t logins_failed_ = 0;
  std::uint64_t sessions_created_ = 0;
  std::uint64_t stripped_ = 0;
};

/// What is true at the moment a worker is asked, and the counts that others than the request path keep.
struct worker_gauges {
  struct upstream_connections {
    std::uint64_t active = 0;  ///< lent to a request or a tunnel
    std::uint64_t idle = 0;    ///< pooled
  };
  struct kind_count {
    std::string_view kind;  ///< from a fixed list; static storage
    std::uint64_t count = 0;
  };

  std::uint64_t connections_active = 0;         ///< clients' connections with a request on them
  std::uint64_t connections_idle = 0;           ///< kept alive, waiting for one
  std::uint64_t connections_tunnel = 0;         ///< upgraded
  std::uint64_t streams_watched = 0;            ///< tunnels and event streams that end with their session
  std::uint64_t sessions_watched = 0;           ///< the sessions of those
  std::vector<upstream_connections> upstreams;  ///< by index
  std::uint64_t redis_connected = 0;            ///< connections to Redis that can be used
  std::uint64_t redis_pending = 0;              ///< commands waiting for their reply
  std::uint64_t redis_reconnects = 0;
  std::uint64_t cache_ready = 0;          ///< near-caches in use
  std::uint64_t cache_entries = 0;        ///< copies in them
  std::uint64_t cache_invalidations = 0;  ///< changes that Redis told of
  std::vector<kind_count> redis_errors;

  worker_gauges& operator+=(worker_gauges const& other);
};

enum class metric_type : std::uint8_t { counter, gauge, histogram };

/// A metric as monitoring sees it. Every one is declared once, in `metric_table()`.
struct metric_info {
  std::string_view name;
  metric_type type;
  std::string_view help;
  std::string_view labels;  ///< names joined by ','; empty = none
};

/// All metrics, in the order they are shown in.
[[nodiscard]] std::vector<metric_info> const& metric_table();
/// The row of that name; the name must be in the table.
[[nodiscard]] metric_info const& metric(std::string_view name);

}  // namespace doorward::obs
