#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/config/model.hpp"

namespace doorward::config {

/// A YAML document as a plain tree in which everything knows where it stands.
struct node {
  enum class kind { null, scalar, sequence, mapping };
  struct member;

  kind type = kind::null;
  position where;
  std::string text;             ///< scalar: the value before interpolation
  bool verbatim = false;        ///< scalar: `text` stands in the source as it is, from `text_where` on
  position text_where;          ///< behind the opening quote, if there is one
  std::vector<node> items;      ///< sequence
  std::vector<member> members;  ///< mapping, in file order, each key once

  [[nodiscard]] node const* find(std::string_view key) const noexcept;
  /// The place of a byte of `text`: exact where the source shows it, else (and for the first byte) the value's start.
  [[nodiscard]] position at(std::size_t offset) const noexcept;
};

struct node::member {
  std::string key;
  position where;  ///< of the key
  node value;
};

/// "a mapping", "a list", "a single value", "nothing".
[[nodiscard]] std::string_view name_of(node::kind k) noexcept;

}  // namespace doorward::config
