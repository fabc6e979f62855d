#include "config/problem_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace doorward::config {

void problem_list::add(problem p) {
  if (p.severity == problem::level::error) ++errors_;
  problems_.push_back(std::move(p));
}

void problem_list::error(position where, std::string path, std::string text, std::string suggestion) {
  add({problem::level::error, where, std::move(path), std::move(text), std::move(suggestion)});
}

void problem_list::warning(position where, std::string path, std::string text, std::string suggestion) {
  add({problem::level::warning, where, std::move(path), std::move(text), std::move(suggestion)});
}

std::vector<problem> problem_list::take() {
  auto sorted = std::exchange(problems_, {});
  std::stable_sort(sorted.begin(), sorted.end(), [](problem const& a, problem const& b) {
    return std::tie(a.where.line, a.where.column) < std::tie(b.where.line, b.where.column);
  });
  if (sorted.size() <= most_shown) return sorted;
  auto const hidden = sorted.size() - most_shown;
  bool const hidden_error = std::any_of(sorted.begin() + most_shown, sorted.end(),
                                        [](problem const& p) { return p.severity == problem::level::error; });
  sorted.resize(most_shown);
  auto const level = hidden_error ? problem::level::error : problem::level::warning;
  sorted.push_back({level, sorted.back().where, {}, fmt::format("and {} more problems after this one", hidden), {}});
  return sorted;
}

}  // namespace doorward::config
