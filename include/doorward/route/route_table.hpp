#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/config/model.hpp"
#include "doorward/http/target.hpp"

namespace doorward::route {

/// What a request is matched by. All views must outlive the call only.
struct subject {
  std::string_view method;      ///< as sent; methods are case-sensitive (RFC 9110 section 9.1)
  std::string_view host;        ///< lower case, without port and trailing dot
  http::canonical_path const& path;
};

/// The result of matching.
struct match {
  enum class outcome {
    found,               ///< `index` says which
    no_route,            ///< 404
    method_not_allowed,  ///< 405; host and path match routes that name other methods
    ambiguous,           ///< 400; two readings of the path match different routes
  };
  outcome result = outcome::no_route;
  std::size_t index = 0;  ///< into the vector the table was built from
};

/// The routes of one configuration, compiled. Immutable, shared by nobody: each worker reads its snapshot's own.
/// First match in file order wins; matching costs the depth of the path, not the number of routes.
class route_table {
 public:
  explicit route_table(std::vector<config::route_config> const& routes);

  /// Matches every reading of the path (contract C7). Does not allocate for a path without a second reading.
  [[nodiscard]] match find(subject const& s) const;

  /// The methods that routes of this host and path allow, for `Allow` (RFC 9110 section 10.2.1), sorted, no repeats.
  [[nodiscard]] std::vector<std::string> allowed_methods(subject const& s) const;

  [[nodiscard]] std::size_t size() const noexcept;
  // (private part: the author's)
};

/// The path that goes upstream: `strip_prefix` and `rewrite` applied to a path that matched `r`. The result is
/// canonical and starts with '/'. `nullopt` when the literal prefix is not there byte for byte (one reading only).
[[nodiscard]] std::optional<std::string> upstream_path(config::route_config const& r, std::string_view path);

}  // namespace doorward::route
