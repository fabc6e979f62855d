#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::session {

/// Where the wanted fields are in a document: a name that begins with `/` is a JSON pointer (RFC 6901), any other the
/// name of a member at the top. Immutable once made.
class path_tree {
public:
  using node = std::uint32_t;
  static constexpr node root = 0;
  static constexpr node none = static_cast<node>(-1);

  path_tree() : nodes_(1) {}

  /// What is at `name` is the field of `slot`, and maybe of others too: `id` and `/id` are one place.
  void add(std::string_view name, std::size_t slot);

  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  /// Below `parent`; `none` where nothing of that name is wanted.
  [[nodiscard]] node child(node parent, std::string_view name) const noexcept;
  [[nodiscard]] bool has_children(node n) const noexcept { return !nodes_[n].children.empty(); }
  [[nodiscard]] std::span<std::size_t const> slots(node n) const noexcept { return nodes_[n].slots; }

private:
  struct entry {
    std::string name;
    std::vector<std::size_t> slots;
    std::vector<node> children;
  };
  node make_child(node parent, std::string name);

  std::vector<entry> nodes_;
};

}  // namespace doorward::session
