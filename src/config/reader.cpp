#include "config/reader.hpp"

#include <fmt/format.h>

namespace doorward::config {

reader::step::step(reader& r, std::string path, position key, node const& value)
    : reader_(r), outer_(std::exchange(r.path_, std::move(path))) {
  r.places_.add(r.path_, key, value);
}

std::optional<std::string> reader::text(node const& n, std::string_view expected) {
  if (n.type == node::kind::null) {
    auto const* here = places_.find(path_);
    error(here ? here->key : n.where, fmt::format("{} is missing here", expected), "give one, or leave the key out");
    return std::nullopt;
  }
  if (n.type != node::kind::scalar) {
    error(n.where, fmt::format("{} is expected here, not {}", expected, name_of(n.type)));
    return std::nullopt;
  }
  auto got = interpolate(n.text, source_);
  if (auto const* wrong = std::get_if<complaint>(&got)) {
    complain(n, *wrong);
    return std::nullopt;
  }
  auto& result = *std::get_if<interpolated>(&got);
  if (result.changed) places_.set_external(path_);
  return std::move(result.text);
}

bool reader::expect(node::kind kind, node const& n, std::string_view expected) {
  if (n.type == kind) return true;
  // `routes:` with everything below it commented out.
  if (n.type == node::kind::null) return false;
  error(n.where, fmt::format("{} is expected here, not {}", expected, name_of(n.type)));
  return false;
}

bool reader::external() const {
  auto const* here = places_.find(path_);
  return here != nullptr && here->external;
}

void reader::complain(node const& n, complaint const& wrong) {
  // What came from outside may be a secret, and offsets in it are not places in the file.
  if (external()) return error(n.where, wrong.text + " (as interpolated)");
  error(n.at(wrong.offset), wrong.text, wrong.suggestion);
}

void reader::error(position where, std::string text, std::string suggestion) {
  error_at(path_, where, std::move(text), std::move(suggestion));
}

void reader::error_at(std::string const& path, position where, std::string text, std::string suggestion) {
  places_.refuse(path);
  problems_.error(where, path, std::move(text), std::move(suggestion));
}

}  // namespace doorward::config
