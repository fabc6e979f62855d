#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "config/node.hpp"

namespace doorward::config {

/// What was found at a path of the file ("routes[2].auth"), so that the checks that look at several values at once know
/// where to point and which values to trust.
struct place {
  position key;  ///< of the key; of the value for an item of a list
  position value;
  bool refused = false;    ///< there is an error about it, or about something inside it
  bool automatic = false;  ///< it says `auto`
  bool external = false;   ///< it came out of a `${...}`
};

class places {
public:
  void add(std::string const& path, position key, node const& value);
  /// Marks the path and everything it stands in.
  void refuse(std::string_view path);
  void set_automatic(std::string const& path) { at_[path].automatic = true; }
  void set_external(std::string const& path) { at_[path].external = true; }

  [[nodiscard]] place const* find(std::string const& path) const;
  [[nodiscard]] bool given(std::string const& path) const { return find(path) != nullptr; }
  /// Given, and more than `auto`.
  [[nodiscard]] bool chosen(std::string const& path) const;
  /// Not given, or given without an error.
  [[nodiscard]] bool sound(std::string const& path) const;

  /// Where to point for something about `path`: its value, else the key of the nearest thing it would stand in.
  [[nodiscard]] position of(std::string_view path) const;

private:
  std::unordered_map<std::string, place> at_;
};

/// "a" and "b" give "a.b".
[[nodiscard]] std::string join(std::string_view path, std::string_view key);
[[nodiscard]] std::string join(std::string_view path, std::size_t index);

/// The path of what `path` stands in; empty at the top.
[[nodiscard]] std::string_view parent_of(std::string_view path) noexcept;

}  // namespace doorward::config
