#pragma once

#include "doorward/obs/metrics.hpp"
#include "doorward/session/store.hpp"

namespace doorward::pipeline {

/// What a look-up counts as that found a session which is let in.
[[nodiscard]] inline obs::lookup_result found_by(session::answered_by from) noexcept {
  switch (from) {
    case session::answered_by::redis: break;
    case session::answered_by::batch: return obs::lookup_result::coalesced;
    case session::answered_by::cache: return obs::lookup_result::cached;
  }
  return obs::lookup_result::hit;
}

/// Only what waited for Redis has a duration.
inline void count_lookup(obs::worker_metrics& metrics, obs::lookup_result r, session::answered_by from,
                         obs::nanoseconds took) noexcept {
  if (from == session::answered_by::cache)
    metrics.lookup(r);
  else
    metrics.lookup(r, took);
}

}  // namespace doorward::pipeline
