#include "config/places.hpp"

#include <fmt/format.h>

namespace doorward::config {

void places::add(std::string const& path, position key, node const& value) {
  at_[path] = place{key, value.type == node::kind::null ? key : value.where};
}

void places::refuse(std::string_view path) {
  for (; !path.empty(); path = parent_of(path)) {
    if (auto const found = at_.find(std::string{path}); found != at_.end()) found->second.refused = true;
  }
}

place const* places::find(std::string const& path) const {
  auto const found = at_.find(path);
  return found == at_.end() ? nullptr : &found->second;
}

bool places::chosen(std::string const& path) const {
  auto const* p = find(path);
  return p != nullptr && !p->automatic;
}

bool places::sound(std::string const& path) const {
  auto const* p = find(path);
  return p == nullptr || !p->refused;
}

position places::of(std::string_view path) const {
  if (auto const* p = find(std::string{path})) return p->value;
  while (!path.empty()) {
    path = parent_of(path);
    if (auto const* p = find(std::string{path})) return p->key;
  }
  return {1, 1};
}

std::string join(std::string_view path, std::string_view key) {
  return path.empty() ? std::string{key} : fmt::format("{}.{}", path, key);
}

std::string join(std::string_view path, std::size_t index) {
  return fmt::format("{}[{}]", path, index);
}

std::string_view parent_of(std::string_view path) noexcept {
  auto const end = path.find_last_of(".[");
  return end == std::string_view::npos ? std::string_view{} : path.substr(0, end);
}

}  // namespace doorward::config
