#include "doorward/http/path_pattern.hpp"

#include <algorithm>

#include "doorward/http/target.hpp"
#include "http/path_bytes.hpp"

namespace doorward::http {
namespace {

// Takes the next segment off the front of `path`, which begins with '/' or is empty. False when there is none.
bool next_segment(std::string_view& path, std::string_view& segment) noexcept {
  if (path.empty()) return false;
  auto const end = std::min(path.find('/', 1), path.size());
  segment = path.substr(1, end - 1);
  path.remove_prefix(end);
  return true;
}

bool covers_segment(path_pattern::segment const& a, path_pattern::segment const& b) noexcept {
  if (a.any) return b.any || !b.text.empty();
  return !b.any && a.text == b.text;
}

}  // namespace

std::string path_pattern_problem(std::string_view text) {
  if (!text.starts_with('/')) return "a path pattern starts with '/'";
  std::string_view rest = text;
  std::string_view segment;
  while (next_segment(rest, segment)) {
    if (segment == "**" && !rest.empty()) return "'**' stands for the rest of a path and must come last";
    if (segment != "*" && segment != "**" && segment.find('*') != std::string_view::npos)
      return "'*' stands for a whole segment, as in /users/*/photo";
  }
  std::string scratch;
  auto const path = canonicalise(text, scratch);
  if (!path)
    return "it cannot be the path of a request: no '?', '#', '\\', space or control byte, percent-encode what is not "
           "ASCII";
  if (!path->plain())
    return "'//', ';', '%2F', '%5C' and '%3B' are read in different ways by different servers and cannot stand in a "
           "pattern";
  if (path->text() != text)
    return "it never matches as written; the same path in canonical form is " + std::string(path->text());
  if (auto const decoded = decode_reserved(text); decoded != text)
    return "it holds an escape that is not needed; without it the pattern is " + decoded;
  return {};
}

path_pattern::path_pattern(std::string_view text) {
  std::string_view part;
  while (next_segment(text, part)) {
    if (part == "**")
      rest_ = true;
    else
      segments_.push_back({std::string(part), part == "*"});
  }
}

bool path_pattern::matches(std::string_view path) const noexcept {
  if (path == unreadable_path) return false;
  std::string_view part;
  for (auto const& expected : segments_) {
    if (!next_segment(path, part)) return false;
    if (expected.any ? part.empty() : part != expected.text) return false;
  }
  return rest_ || path.empty();
}

bool path_pattern::covers(path_pattern const& other) const noexcept {
  if (other.segments_.size() < segments_.size()) return false;
  if (!rest_ && (other.rest_ || other.segments_.size() > segments_.size())) return false;
  return std::equal(segments_.begin(), segments_.end(), other.segments_.begin(), covers_segment);
}

std::string_view literal_prefix(std::string_view pattern) noexcept {
  // A '*' only ever stands right behind a slash.
  auto const wildcard = pattern.find('*');
  return wildcard == std::string_view::npos ? pattern : pattern.substr(0, wildcard - 1);
}

bool starts_with_segments(std::string_view path, std::string_view prefix) noexcept {
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace doorward::http
