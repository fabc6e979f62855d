#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "doorward/obs/metrics.hpp"

namespace doorward::admin {

/// Everything a scrape shows, added up over the workers. The names belong to the indexes of the cells.
struct scrape {
  obs::worker_metrics metrics;
  obs::worker_gauges gauges;
  std::vector<std::string> routes;     ///< ids
  std::vector<std::string> upstreams;  ///< names
  std::uint64_t logins_in_flight = 0;
  std::uint64_t logins_queued = 0;
  std::uint64_t access_log_dropped = 0;
  std::string version;
};

/// Prometheus text format 0.0.4, with the `process_*` metrics read from /proc/self.
[[nodiscard]] std::string metrics_text(scrape const& s);

}  // namespace doorward::admin
