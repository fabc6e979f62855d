#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doorward/base/result.hpp"

namespace doorward::http {

/// A reading that nobody can vouch for. No pattern matches it, "/**" neither.
inline constexpr std::string_view unreadable_path = "/..";

/// A request path in its one canonical form: percent-encoded unreserved bytes decoded, remaining escapes in upper case,
/// dot segments resolved (RFC 3986 section 6.2.2). It is what is matched and what is forwarded, byte for byte. Only one
/// round is ever decoded: "%252F" stays as it is.
class canonical_path {
public:
  /// `plain` = no `//`, `;`, `%2F`, `%5C` or `%3B` in it, so that every server reads it the same way; and none in a
  /// segment that a ".." removed.
  [[nodiscard]] bool plain() const noexcept { return features_ == 0; }
  [[nodiscard]] std::string_view text() const noexcept { return text_; }

  /// The paths that servers of different habits would see: `//` merged or not (in front, taken for an authority or
  /// not), `;params` dropped or not, `%2F` and `%5C` taken as separators or not, every combination of those present,
  /// each with its dot segments resolved. Without `text()` itself and without repeats; empty for a plain path.
  ///
  /// A reading that nobody can vouch for is given as `unreadable_path`: one that climbs above the root; one where a
  /// hidden dot segment removes an empty segment, or stands behind "//" or brings it in front (what comes of that
  /// depends on the order of a server's steps). It is the only one where a ".." in the raw path removed a segment that
  /// is not plain, and for a path so long and so mixed that its readings would be work for an attacker to ask for.
  [[nodiscard]] std::vector<std::string> readings() const;

private:
  friend result<canonical_path> canonicalise(std::string_view raw, std::string& scratch);
  std::string_view text_;
  unsigned features_ = 0;
};

/// Canonicalises the path component of a request-target (no query). The result views either `raw` (when it already is
/// canonical: the common case, one scan, no copy) or `scratch`, whose capacity is reused; `raw` must not be a view of
/// `scratch`. errc::bad_request for: no leading '/', a raw backslash, '#', '?', space, control or non-ASCII bytes, a
/// bad percent sequence, an encoded control byte (%00-%1F, %7F), an ASCII byte in an overlong UTF-8 form (%C0%AF), and
/// dot segments that climb above the root.
[[nodiscard]] result<canonical_path> canonicalise(std::string_view raw, std::string& scratch);

/// `path` with the escapes decoded of every byte that a canonical path may hold either way ("%40" and "@"; RFC 3986
/// section 2.2), separators and ';' excepted. What a server sees that decodes before it compares.
[[nodiscard]] std::string decode_reserved(std::string_view path);

/// True when `path` holds, unescaped, a byte that decode_reserved() would decode.
[[nodiscard]] bool has_reserved(std::string_view path) noexcept;

/// A request-target in origin-form split at the first '?'. `query` has no '?'; `has_query` tells "/a?" from "/a".
struct target_parts {
  std::string_view path;
  std::string_view query;
  bool has_query = false;
};
[[nodiscard]] target_parts split_target(std::string_view target) noexcept;

/// True when `next` may be redirected to after a login (docs/security.md, "The way back after a login"): an absolute
/// path on this origin, before and after one and two rounds of percent-decoding; no backslash, no control byte, no "//"
/// in front and no dot segment that could bring one there. A query and a fragment may follow. At most 2048 bytes.
[[nodiscard]] bool is_local_return_path(std::string_view next);

/// The value of the first query parameter called `name`, percent-decoded once ('+' is a space), as is its name. False
/// when absent or not decodable; `out` is then unspecified.
[[nodiscard]] bool query_parameter(std::string_view query, std::string_view name, std::string& out);

}  // namespace doorward::http
