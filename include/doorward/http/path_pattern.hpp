#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::http {

/// What speaks against a text as a path pattern.
struct pattern_problem {
  std::string_view what;   ///< in words for the person who wrote it
  std::string instead;     ///< what to write; empty where that cannot be told
  std::size_t offset = 0;  ///< byte of the text at which it goes wrong
};

/// What is wrong with `text` as a path pattern; nullopt when nothing is. A pattern is a canonical plain path (see
/// target.hpp) whose segments may be `*`, and whose last segment may be `**`. It holds no ';', "//" or escaped
/// separator: servers read these in different ways, so a path that had them could match it in one reading only. Bytes
/// that may stand unescaped do ("@", not "%40"). For the same reason a `*` inside a segment is refused.
[[nodiscard]] std::optional<pattern_problem> path_pattern_problem(std::string_view text);

/// A path pattern of the configuration, taken apart.
///
/// A literal segment matches itself, byte for byte; `*` matches one segment that is not empty; `**` matches what is
/// left, nothing included. So `/admin/**` matches `/admin`, `/admin/` and all below, but not `/administrator`; `/**`
/// matches everything. Without `**` a slash at the end counts: `/a` does not match `/a/`, nor the other way round.
class path_pattern {
public:
  struct segment {
    std::string text;
    bool any = false;  ///< `*`
    friend bool operator==(segment const&, segment const&) = default;
  };

  /// `text` has no path_pattern_problem.
  explicit path_pattern(std::string_view text);

  /// Without the `**`. "/a/" has two, the second of them empty; "/**" has none.
  [[nodiscard]] std::vector<segment> const& segments() const noexcept { return segments_; }
  [[nodiscard]] bool rest() const noexcept { return rest_; }  ///< it ends in `**`

  /// Whether one reading of a path matches.
  [[nodiscard]] bool matches(std::string_view path) const noexcept;

  /// True when every path that `other` matches is matched by this pattern too.
  [[nodiscard]] bool covers(path_pattern const& other) const noexcept;
  /// True when there is a path that both match.
  [[nodiscard]] bool meets(path_pattern const& other) const noexcept;

private:
  std::vector<segment> segments_;
  bool rest_ = false;
};

/// The part of a pattern before its first wildcard, without the slash in front of that: "/a" of "/a/**" and of
/// "/a/*/b", "" of "/**", the whole of a pattern without wildcards. A view of `pattern`.
[[nodiscard]] std::string_view literal_prefix(std::string_view pattern) noexcept;

/// True when `path` is `prefix` or goes on with a '/' after it. "/a/" counts as "/a", and "/" and "" are in front of
/// all.
[[nodiscard]] bool starts_with_segments(std::string_view path, std::string_view prefix) noexcept;

}  // namespace doorward::http
