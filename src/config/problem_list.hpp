#pragma once

#include <string>
#include <vector>

#include "doorward/config/load.hpp"

namespace doorward::config {

/// Collects problems while a file is read and checked.
class problem_list {
public:
  /// More than this many are of no use to anybody; the rest are only counted.
  static constexpr std::size_t most_shown = 100;

  void add(problem p);
  void error(position where, std::string path, std::string text, std::string suggestion = {});
  void warning(position where, std::string path, std::string text, std::string suggestion = {});

  [[nodiscard]] bool any_error() const noexcept { return errors_ > 0; }
  /// In file order; of two at one place, the one found first.
  [[nodiscard]] std::vector<problem> take();

private:
  std::vector<problem> problems_;
  std::size_t errors_ = 0;
};

}  // namespace doorward::config
