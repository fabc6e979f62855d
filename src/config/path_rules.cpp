#include "config/path_rules.hpp"

#include <fmt/format.h>

#include "doorward/http/path_pattern.hpp"

namespace doorward::config {

parsed<std::string> parse_path(std::string_view text) {
  if (auto const star = text.find('*'); star != std::string_view::npos) {
    return complaint{"this is a path, not a pattern: `*` means nothing in it", {}, star};
  }
  return parse_pattern(text);
}

parsed<std::string> parse_pattern(std::string_view text) {
  if (auto const wrong = http::path_pattern_problem(text)) {
    auto const fix = wrong->instead.empty() ? std::string{} : fmt::format("write `{}`", wrong->instead);
    return complaint{std::string{wrong->what}, fix, wrong->offset};
  }
  return std::string{text};
}

bool is_own_path(std::string_view path) noexcept {
  return http::starts_with_segments(path, "/.doorward");
}

}  // namespace doorward::config
