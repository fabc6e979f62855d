#pragma once

#include <string>
#include <string_view>

#include "doorward/base/result.hpp"

namespace doorward::http {

/// Checks a Host field value (RFC 9110 section 7.2: uri-host [":" port]) and leaves in `out` the name that routes are
/// matched by: lower case, without port and trailing dot; an IPv6 literal keeps its brackets and is spelt as RFC 5952
/// has it. errc::bad_request, with `out` unspecified, when the value is empty or malformed: user info, spaces,
/// percent-encoding, an empty label, a port that is no number from 1 to 65535. An empty port ("a:") is allowed, as
/// RFC 3986 section 3.2.3 has it, and so are underscores.
[[nodiscard]] result<void> normalise_host(std::string_view field, std::string& out);

/// Whether a route's host pattern matches a normalised host: "" is any, "*.example.com" any name below example.com, at
/// whatever depth, but not example.com itself; everything else is that name.
[[nodiscard]] bool host_matches(std::string_view pattern, std::string_view host) noexcept;

/// True when every host that pattern `b` matches is matched by pattern `a` too.
[[nodiscard]] bool host_covers(std::string_view a, std::string_view b) noexcept;

}  // namespace doorward::http
