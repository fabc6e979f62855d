#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/complaint.hpp"
#include "config/interpolate.hpp"
#include "config/node.hpp"
#include "config/places.hpp"
#include "config/problem_list.hpp"

namespace doorward::config {

/// Walks the tree: knows the path it is at, takes values out of nodes, and says what is wrong with them.
class reader {
public:
  reader(interpolation_source source, problem_list& problems, places& seen)
      : source_(std::move(source)), problems_(problems), places_(seen) {}

  /// Goes down one step for as long as it lives.
  class step {
  public:
    step(reader& r, std::string path, position key, node const& value);
    ~step() { reader_.path_ = std::move(outer_); }
    step(step const&) = delete;
    step& operator=(step const&) = delete;

  private:
    reader& reader_;
    std::string outer_;
  };
  [[nodiscard]] step enter(node::member const& m) { return {*this, join(path_, m.key), m.where, m.value}; }
  [[nodiscard]] step enter(std::size_t index, node const& item) {
    return {*this, join(path_, index), item.where, item};
  }

  [[nodiscard]] std::string const& path() const noexcept { return path_; }
  [[nodiscard]] places& seen() noexcept { return places_; }
  /// Where relative paths start.
  [[nodiscard]] std::filesystem::path const& base() const noexcept { return source_.base; }

  /// The interpolated text of a scalar. `expected` names what should stand here: "a duration".
  [[nodiscard]] std::optional<std::string> text(node const& n, std::string_view expected);

  /// The text as a parser of values reads it; what it complains of becomes a problem.
  template <class T, class Parse>
  [[nodiscard]] std::optional<T> value(node const& n, std::string_view expected, Parse&& parse) {
    auto const written = text(n, expected);
    if (!written) return std::nullopt;
    auto got = std::forward<Parse>(parse)(*written);
    if (auto* wrong = std::get_if<complaint>(&got)) {
      complain(n, *wrong);
      return std::nullopt;
    }
    return std::get<T>(std::move(got));
  }

  /// What stands at the present path came out of a `${...}`, in part at least: it may be a secret.
  [[nodiscard]] bool external() const;

  [[nodiscard]] bool expect(node::kind kind, node const& n, std::string_view expected);

  void complain(node const& n, complaint const& wrong);
  void error(position where, std::string text, std::string suggestion = {});
  /// About something inside the present path that is not there.
  void error_at(std::string const& path, position where, std::string text, std::string suggestion = {});

private:
  interpolation_source source_;
  problem_list& problems_;
  places& places_;
  std::string path_;
};

}  // namespace doorward::config
