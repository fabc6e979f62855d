#pragma once

#include <string>
#include <string_view>

#include "doorward/base/result.hpp"
#include "doorward/base/time.hpp"

namespace doorward::admin {

struct probe_answer {
  unsigned status = 0;
  std::string body;  ///< the first 64 KiB
};

/// One blocking GET of `http://host[:port]/path` or `unix:/socket:/path` (the path after the socket's file). For health
/// checks of containers, which have no curl. Errors are the operating system's; a URL that cannot be read is
/// errc::bad_request, an answer that is none is errc::upstream_bad_response.
[[nodiscard]] result<probe_answer> probe(std::string_view url, milliseconds timeout = milliseconds(2'000));

}  // namespace doorward::admin
