#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/config/model.hpp"
#include "doorward/http/target.hpp"

namespace doorward::route {

/// What a request is matched by. All views must outlive the call only.
struct subject {
  std::string_view method;  ///< as sent; methods are case-sensitive (RFC 9110 section 9.1)
  std::string_view host;    ///< lower case, without port and trailing dot
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

  friend bool operator==(match const&, match const&) = default;
};

/// The routes of one configuration, compiled. Immutable, shared by nobody: each worker reads its snapshot's own.
///
/// The first route in file order whose host, path and methods all match wins, however special a later one is. What the
/// patterns mean: http/host.hpp and http/path_pattern.hpp; a slash at the end of a literal path counts. A route that
/// lists GET allows HEAD as well. Matching costs the depth of the path, not the number of routes.
class route_table {
public:
  explicit route_table(std::vector<config::route_config> const& routes);
  route_table(route_table&&) noexcept;
  route_table& operator=(route_table&&) noexcept;
  ~route_table();

  /// Matches every reading of the path (docs/security.md, "Paths"); all have to come to the same result. Does not
  /// allocate for a path without a second reading.
  [[nodiscard]] match find(subject const& s) const;

  /// The methods that routes of this host and path list, for `Allow` (RFC 9110 section 10.2.1), sorted, no repeats.
  [[nodiscard]] std::vector<std::string> allowed_methods(subject const& s) const;

  [[nodiscard]] std::size_t size() const noexcept;

private:
  struct compiled;
  std::unique_ptr<compiled const> compiled_;
};

/// The path that goes upstream: `strip_prefix` or `rewrite` applied to a path that matched `r`; `path` itself where it
/// has neither.
///
/// `strip_prefix` goes on a segment boundary: with "/api", "/api/x" becomes "/x" and "/api" becomes "/". `rewrite`
/// takes the place of the pattern's literal_prefix(): with the pattern "/old/**" and "/new", "/old/x" becomes "/new/x";
/// where the pattern has no wildcard it takes the place of the whole path. `rewrite` wins where both are given.
///
/// The result is canonical, starts with '/' and is read by every server as the same change to what was matched: nullopt
/// when the prefix is not there byte for byte in every reading, when "//" would come in front (an authority to some),
/// or when a reading of the result has no counterpart among those of `path`, as when hidden dot segments climb out of
/// the part that was replaced. Such a request is errc::ambiguous_path.
[[nodiscard]] std::optional<std::string> upstream_path(config::route_config const& r, std::string_view path);

}  // namespace doorward::route
