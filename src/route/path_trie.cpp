#include "route/path_trie.hpp"

#include <utility>

namespace doorward::route {

path_trie::node_id path_trie::add_node(std::uint32_t least) {
  nodes_.emplace_back().least = least;
  return static_cast<node_id>(nodes_.size() - 1);
}

path_trie::node_id path_trie::add_root() {
  // A root without values is never gone into; the first insert() makes it worth it.
  return add_node(std::numeric_limits<std::uint32_t>::max());
}

std::size_t path_trie::slot_of(node_id parent, std::string_view segment) const noexcept {
  auto const mixed = std::hash<std::string_view>{}(segment) ^ (parent * 0x9e3779b97f4a7c15);
  auto const mask = table_.size() - 1;
  auto slot = (mixed ^ (mixed >> 29)) & mask;
  while (table_[slot] != none) {
    auto const& n = nodes_[table_[slot]];
    if (n.parent == parent && n.segment == segment) break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

path_trie::node_id path_trie::find_literal(node_id parent, std::string_view segment) const noexcept {
  // A client's segment of many kilobytes is not worth hashing.
  if (table_.empty() || segment.size() > longest_literal_) return none;
  return table_[slot_of(parent, segment)];
}

void path_trie::add_literal(node_id child) {
  if (2 * ++literals_ > table_.size()) {
    auto const old = std::exchange(table_, std::vector<node_id>(std::max<std::size_t>(16, 2 * table_.size()), none));
    for (auto const id : old)
      if (id != none) table_[slot_of(nodes_[id].parent, nodes_[id].segment)] = id;
  }
  auto const& n = nodes_[child];
  longest_literal_ = std::max(longest_literal_, n.segment.size());
  table_[slot_of(n.parent, n.segment)] = child;
}

void path_trie::insert(node_id root, http::path_pattern const& pattern, std::uint32_t value) {
  auto at = root;
  nodes_[at].least = std::min(nodes_[at].least, value);
  for (auto const& segment : pattern.segments()) {
    auto next = segment.any ? nodes_[at].any : find_literal(at, segment.text);
    if (next == none) {
      next = add_node(value);
      nodes_[next].parent = at;
      if (segment.any) {
        nodes_[at].any = next;
      } else {
        nodes_[next].segment = segment.text;
        nodes_[at].has_literals = true;
        add_literal(next);
      }
    }
    at = next;
  }
  (pattern.rest() ? nodes_[at].rest : nodes_[at].end).push_back(value);
}

}  // namespace doorward::route
