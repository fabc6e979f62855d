#pragma once

#include <string>
#include <vector>

#include "config/description.hpp"

namespace doorward::config {

/// A key as the reference in docs/configuration.md has it.
struct reference_row {
  std::string path;  ///< "routes[].auth", "upstreams.NAME.retries"
  key const* described = nullptr;
  bool later = false;  ///< it, or what it stands in, is not available yet
  std::string markdown;
};

/// Every key of the file, in the order of the description.
[[nodiscard]] std::vector<reference_row> reference();

}  // namespace doorward::config
