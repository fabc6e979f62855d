#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "doorward/net/task.hpp"
#include "doorward/pipeline/exchange.hpp"

namespace doorward::pipeline {

/// What would be done with a request, and why.
struct explanation {
  std::vector<std::pair<std::string, std::string>> steps;  ///< what was looked at, and what was found

  /// Adds a step. What could steer a terminal in `found` is written as `<1b>`: it may come from a session or a request.
  void say(std::string what, std::string_view found);
};

/// Takes `head` (a whole request head) through the very stages that serve requests, up to forwarding, and writes
/// nothing anywhere: not even the session is touched. `address`: where it comes from.
[[nodiscard]] net::task<explanation> explain(runtime::worker& w, std::string head, std::string address = "127.0.0.1");

}  // namespace doorward::pipeline
