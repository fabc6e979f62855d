#include "doorward/config/rewrite.hpp"

#include "doorward/http/path_pattern.hpp"

namespace doorward::config {
namespace {

// `to` in place of `from`, which is in front of `path` and ends at a segment.
std::optional<std::string> replace_front(std::string_view path, std::string_view from, std::string_view to) {
  if (!http::starts_with_segments(path, from)) return std::nullopt;
  if (from.ends_with('/')) from.remove_suffix(1);
  path.remove_prefix(from.size());
  if (!path.empty() && to.ends_with('/')) to.remove_suffix(1);
  std::string out(to);
  out += path;
  if (out.starts_with("//")) return std::nullopt;
  if (out.empty()) out = "/";
  return out;
}

}  // namespace

std::optional<std::string> rewrite(route_config const& r, std::string_view path) {
  if (!r.rewrite.empty()) {
    auto const prefix = http::literal_prefix(r.path);
    if (prefix != r.path) return replace_front(path, prefix, r.rewrite);
    return path == r.path ? std::optional(r.rewrite) : std::nullopt;
  }
  if (!r.strip_prefix.empty()) return replace_front(path, r.strip_prefix, "");
  return std::string(path);
}

std::string before_rewrite(route_config const& r, std::string_view rewritten) {
  auto const prefix = http::literal_prefix(r.path);
  // Without a wildcard there is but one path.
  if (prefix == r.path) return r.path;
  if (!r.rewrite.empty()) return replace_front(rewritten, r.rewrite, prefix).value_or(r.path);
  return replace_front(rewritten, "", r.strip_prefix).value_or(r.path);
}

}  // namespace doorward::config
