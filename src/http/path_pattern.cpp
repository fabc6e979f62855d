#include "doorward/http/path_pattern.hpp"

#include <algorithm>
#include <utility>

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

std::size_t first_difference(std::string_view a, std::string_view b) noexcept {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

bool covers_segment(path_pattern::segment const& a, path_pattern::segment const& b) noexcept {
  if (a.any) return b.any || !b.text.empty();
  return !b.any && a.text == b.text;
}

bool meets_segment(path_pattern::segment const& a, path_pattern::segment const& b) noexcept {
  return covers_segment(a, b) || covers_segment(b, a);
}

}  // namespace

std::optional<pattern_problem> path_pattern_problem(std::string_view text) {
  if (!text.starts_with('/'))
    return pattern_problem{"a path begins with `/`", text.empty() ? "" : '/' + std::string(text), 0};
  std::string scratch;
  auto const path = canonicalise(text, scratch);
  if (!path) {
    if (auto const query = text.find_first_of("?#"); query != std::string_view::npos)
      return pattern_problem{"a path has no query and no fragment", {}, query};
    return pattern_problem{
        "no request can have this path: a blank, a control character, a backslash, a byte outside ASCII, a bad `%`, or "
        "a `..` that leaves the root",
        {},
        0};
  }
  if (!path->plain())
    return pattern_problem{
        "`//`, `;`, `%2F`, `%5C` and `%3B` are read differently by different servers, so no path here has them", {}, 0};
  if (path->text() != text)
    return pattern_problem{"requests are matched by their canonical path, which this is not", std::string(path->text()),
                           first_difference(text, path->text())};
  std::string_view rest = text;
  std::string_view segment;
  while (next_segment(rest, segment)) {
    auto const offset = text.size() - rest.size() - segment.size();
    if (segment == "**" && !rest.empty())
      return pattern_problem{"`**` stands for the rest of a path, so it comes last", {}, offset};
    if (segment != "*" && segment != "**" && segment.find('*') != std::string_view::npos)
      return pattern_problem{"`*` stands for one whole segment, `**` for the rest", {}, offset};
  }
  // "%40" for "@" is the same path to everybody, but not byte for byte.
  if (auto decoded = decode_reserved(text); decoded != text) {
    auto const offset = first_difference(text, decoded);
    // "%2A" would become a wildcard.
    if (std::ranges::count(decoded, '*') != std::ranges::count(text, '*')) decoded.clear();
    return pattern_problem{"this path holds an escape that is not needed", std::move(decoded), offset};
  }
  return std::nullopt;
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

bool path_pattern::meets(path_pattern const& other) const noexcept {
  auto const& a = segments_;
  auto const& b = other.segments_;
  if ((a.size() < b.size() && !rest_) || (b.size() < a.size() && !other.rest_)) return false;
  auto const common = static_cast<std::ptrdiff_t>(std::min(a.size(), b.size()));
  return std::equal(a.begin(), a.begin() + common, b.begin(), meets_segment);
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
