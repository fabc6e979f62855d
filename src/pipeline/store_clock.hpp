#pragma once

#include "doorward/pipeline/exchange.hpp"

namespace doorward::pipeline {

/// Adds what passes in its lifetime to the time that the exchange waited for Redis.
class store_clock {
public:
  explicit store_clock(exchange& x) noexcept : x_(x), began_(steady::now()) {}
  store_clock(store_clock const&) = delete;
  store_clock& operator=(store_clock const&) = delete;
  ~store_clock() { x_.store_time += steady::now() - began_; }

private:
  exchange& x_;
  time_point began_;
};

}  // namespace doorward::pipeline
