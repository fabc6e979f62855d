#include "config/path_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "doorward/http/path_pattern.hpp"
#include "doorward/http/target.hpp"

namespace doorward::config {
namespace {

std::size_t first_difference(std::string_view a, std::string_view b) noexcept {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

std::optional<complaint> check_canonical(std::string_view text) {
  if (!text.starts_with('/')) {
    return complaint{"a path begins with `/`", text.empty() ? "" : fmt::format("write `/{}`", text)};
  }
  std::string scratch;
  auto const path = http::canonicalise(text, scratch);
  if (!path) {
    auto const query = text.find_first_of("?#");
    if (query != std::string_view::npos) return complaint{"a path has no query and no fragment", {}, query};
    return complaint{
        "no request can have this path: a blank, a control character, a backslash, a byte outside ASCII, a "
        "bad `%`, or a `..` that leaves the root"};
  }
  if (!path->plain()) {
    return complaint{
        "`//`, `;`, `%2F`, `%5C` and `%3B` are read differently by different servers, so no path here has them"};
  }
  if (path->text() != text) {
    return complaint{"requests are matched by their canonical path, which this is not",
                     fmt::format("write `{}`", path->text()), first_difference(text, path->text())};
  }
  return std::nullopt;
}

std::optional<complaint> check_wildcards(std::string_view text) {
  for (std::size_t start = 0; start < text.size();) {
    auto const end = std::min(text.find('/', start + 1), text.size());
    auto const segment = text.substr(start + 1, end - start - 1);
    if (segment == "**" && end != text.size()) {
      return complaint{"`**` stands for the rest of a path, so it comes last", {}, start + 1};
    }
    if (segment != "*" && segment != "**" && segment.find('*') != std::string_view::npos) {
      return complaint{"`*` stands for one whole segment, `**` for the rest", {}, start + 1};
    }
    start = end;
  }
  return std::nullopt;
}

}  // namespace

parsed<std::string> parse_path(std::string_view text) {
  if (auto const star = text.find('*'); star != std::string_view::npos) {
    return complaint{"this is a path, not a pattern: `*` means nothing in it", {}, star};
  }
  return parse_pattern(text);
}

parsed<std::string> parse_pattern(std::string_view text) {
  if (auto wrong = check_canonical(text)) return *std::move(wrong);
  if (auto wrong = check_wildcards(text)) return *std::move(wrong);
  // What is left: "%40" for "@", which is the same path to everybody but not byte for byte.
  if (!http::path_pattern_problem(text).empty()) {
    return complaint{"this path holds an escape that is not needed", "write the character itself", text.find('%')};
  }
  return std::string{text};
}

bool has_wildcard(std::string_view pattern) noexcept {
  return pattern.find('*') != std::string_view::npos;
}

bool is_own_path(std::string_view path) noexcept {
  return http::starts_with_segments(path, "/.doorward");
}

}  // namespace doorward::config
