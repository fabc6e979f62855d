#pragma once

#include <string>
#include <utility>
#include <vector>

#include "doorward/net/task.hpp"
#include "doorward/pipeline/exchange.hpp"

namespace doorward::pipeline {

/// What would be done with a request, and why.
struct explanation {
  std::vector<std::pair<std::string, std::string>> steps;  ///< what was looked at, and what was found
  bool forwarded = false;
};

/// Takes `head` (a whole request head) through the very stages that serve requests, up to forwarding, and writes
/// nothing anywhere: not even the session is touched.
[[nodiscard]] net::task<explanation> explain(runtime::worker& w, std::string head);

}  // namespace doorward::pipeline
