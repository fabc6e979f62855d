#pragma once

#include <string_view>
#include <vector>

namespace doorward::http {

/// Appends the `for` parameter of each element of a Forwarded field (RFC 7239 section 4) to `out`, in the order
/// written, without the quotes; empty for an element that has none. False, and `out` is as before, when the value does
/// not follow the grammar. The views are into `value`.
[[nodiscard]] bool append_forwarded_for(std::string_view value, std::vector<std::string_view>& out);

/// The address a node names (RFC 7239 section 6, which X-Forwarded-For has taken over): "192.0.2.1" of
/// "192.0.2.1:4711", "2001:db8::1" of "[2001:db8::1]:4711" or of "[2001:db8::1]". What is left may still be no address:
/// "unknown", "_hidden".
[[nodiscard]] std::string_view node_address(std::string_view node) noexcept;

}  // namespace doorward::http
