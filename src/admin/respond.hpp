#pragma once

#include <string>
#include <string_view>

#include "doorward/admin/server.hpp"

namespace doorward::admin {

/// An answer of the admin listener before it becomes HTTP.
struct response {
  unsigned status = 200;
  std::string_view type = "application/json";
  std::string_view allow;  ///< with 405
  std::string body;
  std::string_view challenge{};  ///< with 401
  unsigned retry_after = 0;      ///< seconds, with 503
};

/// What is answered to `method` and `target`. Never throws: a source that does is a 500. No I/O of its own.
[[nodiscard]] response respond(sources const& from, std::string_view method, std::string_view target) noexcept;

}  // namespace doorward::admin
