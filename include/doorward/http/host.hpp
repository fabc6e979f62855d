#pragma once

#include <string>
#include <string_view>

#include "doorward/base/result.hpp"

namespace doorward::http {

/// Checks a Host field value (RFC 9110 section 7.2: uri-host [":" port]) and leaves in `out` the name that routes are
/// matched by: lower case, without port and trailing dot; an IPv6 literal keeps its brackets. errc::bad_request when
/// the value is empty or malformed (user info, spaces, bad port, percent-encoding, underscores are allowed).
[[nodiscard]] result<void> normalise_host(std::string_view field, std::string& out);

}  // namespace doorward::http
