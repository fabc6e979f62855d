#include <algorithm>

#include "doorward/http/path_pattern.hpp"
#include "doorward/route/route_table.hpp"

namespace doorward::route {
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

// The change that `r` asks for, to one reading of a path.
std::optional<std::string> change(config::route_config const& r, std::string_view path) {
  if (!r.rewrite.empty()) {
    auto const prefix = http::literal_prefix(r.path);
    if (prefix != r.path) return replace_front(path, prefix, r.rewrite);
    return path == r.path ? std::optional(r.rewrite) : std::nullopt;
  }
  if (!r.strip_prefix.empty()) return replace_front(path, r.strip_prefix, "");
  return std::string(path);
}

}  // namespace

std::optional<std::string> upstream_path(config::route_config const& r, std::string_view path) {
  auto out = change(r, path);
  if (!out || *out == path) return out;

  std::string path_scratch;
  std::string out_scratch;
  auto const judged = http::canonicalise(path, path_scratch);
  auto const sent = http::canonicalise(*out, out_scratch);
  if (!judged || !sent || sent->text() != *out) return std::nullopt;
  if (judged->plain() && sent->plain()) return out;

  std::vector<std::string> expected;
  for (auto const& reading : judged->readings()) {
    auto changed = change(r, reading);
    if (!changed) return std::nullopt;
    expected.push_back(std::move(*changed));
  }
  for (auto const& reading : sent->readings())
    if (std::ranges::find(expected, reading) == expected.end()) return std::nullopt;
  return out;
}

}  // namespace doorward::route
