#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::http {

/// The form in which field names are compared: lower case, and '-' for every byte that is neither letter nor digit.
/// Servers that hand headers on in the way of CGI make one character of all of those, so names that fold to the same
/// are one to somebody's server.
[[nodiscard]] std::string fold_field_name(std::string_view name);

/// The field names that only doorward may set: those of `headers:` and all of `Doorward-*`. Names are
/// compared folded.
class reserved_names {
public:
  reserved_names() = default;
  explicit reserved_names(std::vector<std::string> const& names);

  /// One mask test for nearly every ordinary name.
  [[nodiscard]] bool contains(std::string_view name) const noexcept;

private:
  std::vector<std::string> folded_;
  std::uint64_t lengths_ = 0;  ///< bit n: a name of length n (63: 63 or more) is in the list
};

/// Names that carry what only a trusted proxy may say: Forwarded, X-Real-IP, X-Client-IP, X-Cluster-Client-IP,
/// True-Client-IP, and all that begin with X-Forwarded, X-Original- or X-Rewrite-. Compared folded.
[[nodiscard]] bool is_forwarding_name(std::string_view name) noexcept;

}  // namespace doorward::http
