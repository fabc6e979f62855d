#include "doorward/session/path_tree.hpp"

namespace doorward::session {
namespace {

// RFC 6901 section 4: `~1` is a slash, `~0` a tilde.
std::string unescaped(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    bool const escape = token[i] == '~' && i + 1 < token.size();
    if (escape && (token[i + 1] == '0' || token[i + 1] == '1'))
      out += token[++i] == '1' ? '/' : '~';
    else
      out += token[i];
  }
  return out;
}

}  // namespace

void path_tree::add(std::string_view name, std::size_t slot) {
  auto at = root;
  if (!name.starts_with('/')) {
    at = make_child(at, std::string(name));
  } else {
    for (std::size_t from = 1;;) {
      auto const end = name.find('/', from);
      at = make_child(at, unescaped(name.substr(from, end == name.npos ? end : end - from)));
      if (end == name.npos) break;
      from = end + 1;
    }
  }
  nodes_[at].slots.push_back(slot);
}

path_tree::node path_tree::make_child(node parent, std::string name) {
  if (auto const known = child(parent, name); known != none) return known;
  auto const fresh = static_cast<node>(nodes_.size());
  nodes_.push_back({std::move(name), {}, {}});
  nodes_[parent].children.push_back(fresh);
  return fresh;
}

path_tree::node path_tree::child(node parent, std::string_view name) const noexcept {
  for (auto const n : nodes_[parent].children)
    if (nodes_[n].name == name) return n;
  return none;
}

}  // namespace doorward::session
