#include "config/node.hpp"

#include "config/source.hpp"

namespace doorward::config {

node const* node::find(std::string_view key) const noexcept {
  for (auto const& m : members) {
    if (m.key == key) return &m.value;
  }
  return nullptr;
}

position node::at(std::size_t offset) const noexcept {
  if (!verbatim || offset == 0) return where;
  return {text_where.line, text_where.column + characters(std::string_view{text}.substr(0, offset))};
}

std::string_view name_of(node::kind k) noexcept {
  switch (k) {
    case node::kind::null: return "nothing";
    case node::kind::scalar: return "a single value";
    case node::kind::sequence: return "a list";
    case node::kind::mapping: return "a mapping";
  }
  return "nothing";
}

}  // namespace doorward::config
