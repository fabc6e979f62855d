#pragma once

#include <string>
#include <vector>

#include "doorward/config/model.hpp"

// How two routes stand to each other, for the checks that look at all of them.
namespace doorward::config {

/// It asks something of whoever comes.
[[nodiscard]] bool guards(route_config const& r);

/// Somebody may pass `weak` who may not pass `strong`.
[[nodiscard]] bool is_weaker(route_config const& weak, route_config const& strong);

/// Some request has a method of both. An empty list is every method; GET stands for HEAD too.
[[nodiscard]] bool methods_meet(std::vector<std::string> const& a, std::vector<std::string> const& b);

/// Every method of `narrow` is one of `wide`.
[[nodiscard]] bool methods_cover(std::vector<std::string> const& wide, std::vector<std::string> const& narrow);

/// There is a host that both match.
[[nodiscard]] bool hosts_meet(std::string const& a, std::string const& b);

}  // namespace doorward::config
