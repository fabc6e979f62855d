#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/http/path_pattern.hpp"

namespace doorward::route {

/// Numbers stored under path patterns: a trie by segments, several roots (one a host) in one piece of memory. A literal
/// child is found by one probe of a hash table, so a node with ten thousand children costs what one with two costs.
/// Built once, by insert() in rising order of `value`, then only read.
class path_trie {
public:
  using node_id = std::uint32_t;

  [[nodiscard]] node_id add_root();
  void insert(node_id root, http::path_pattern const& pattern, std::uint32_t value);

  /// Calls `take(values)` for every set of values whose pattern matches `path`, each set in rising order. Leaves out
  /// what holds no value below `bound`, which `take` may lower as it goes. Does not allocate.
  template <class Take>
  void match(node_id root, std::string_view path, std::uint32_t const& bound, Take&& take) const {
    auto const& n = nodes_[root];
    if (n.least >= bound) return;
    if (!n.rest.empty()) take(n.rest);
    if (path.empty()) {
      if (!n.end.empty()) take(n.end);
      return;
    }
    auto const end = std::min(path.find('/', 1), path.size());
    auto const segment = path.substr(1, end - 1);
    path.remove_prefix(end);
    if (n.has_literals)
      if (auto const child = find_literal(root, segment); child != none) match(child, path, bound, take);
    if (n.any != none && !segment.empty()) match(n.any, path, bound, take);
  }

private:
  static constexpr node_id none = std::numeric_limits<node_id>::max();

  struct node {
    std::uint32_t least = 0;  // of the values here and below: that of the insert() that made the node
    node_id any = none;       // the child for `*`
    node_id parent = none;
    bool has_literals = false;
    std::string segment;              // how the parent leads here, where by a literal
    std::vector<std::uint32_t> end;   // patterns that end here
    std::vector<std::uint32_t> rest;  // patterns that go on with `**`
  };

  node_id add_node(std::uint32_t least);
  [[nodiscard]] node_id find_literal(node_id parent, std::string_view segment) const noexcept;
  [[nodiscard]] std::size_t slot_of(node_id parent, std::string_view segment) const noexcept;
  void add_literal(node_id child);

  std::vector<node> nodes_;
  std::vector<node_id> table_;  // open addressing; a power of two, at most half full
  std::size_t literals_ = 0;
  std::size_t longest_literal_ = 0;
};

}  // namespace doorward::route
