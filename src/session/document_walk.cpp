#include "session/document_walk.hpp"

#include <algorithm>
#include <array>

#include "doorward/base/encoding.hpp"
#include "doorward/base/utf8.hpp"
#include "session/decimal.hpp"

namespace doorward::session {

void document_walk::begin(record& into) {
  into_ = &into;
  begin_at(into.layout()->paths());
}

void document_walk::begin_without_record() {
  static path_tree const nothing;
  into_ = nullptr;
  begin_at(nothing);
}

void document_walk::begin_at(path_tree const& paths) {
  paths_ = &paths;
  open_.clear();
  seen_.assign(paths_->size(), false);
  next_ = path_tree::root;
  roles_.clear();
  began_ = false;
}

bool document_walk::holds(path_tree::node at, field f) const noexcept {
  if (at == path_tree::none || paths_->slots(at).empty()) return false;
  auto const slots = paths_->slots(at);
  return std::ranges::find(slots, into_->layout()->at(f)) != slots.end();
}

bool document_walk::enter(kind k) {
  if (open_.size() == deepest) return false;
  bool const root = !began_;
  if (!root && open_.empty()) return false;                        // something follows the document
  if (!open_.empty() && open_.back().is_roles_list) return false;  // a list of more than texts
  began_ = true;
  auto const at = next_;
  next_ = path_tree::none;
  bool roles_list = false;
  if (at != path_tree::none && !root) {
    if (k == kind::opaque) return false;
    if (!paths_->slots(at).empty()) {
      if (k != kind::elements || !holds(at, field::roles)) return false;
      roles_list = true;
      roles_.clear();
    }
  }
  open_.push_back({k == kind::opaque ? path_tree::none : at, 0, roles_list});
  return true;
}

bool document_walk::leave() {
  if (open_.empty()) return false;
  auto const done = open_.back();
  open_.pop_back();
  next_ = path_tree::none;
  return !done.is_roles_list || keep(done.at, roles_);
}

bool document_walk::member(std::string_view name) {
  if (open_.empty()) return false;
  auto& in = open_.back();
  if (in.is_roles_list) {
    // Only what is numbered from 0 on, in order, is a list.
    std::array<char, 32> digits;
    if (name != in_decimal(digits, in.count)) return false;
  }
  ++in.count;
  next_ = in.at == path_tree::none ? path_tree::none : paths_->child(in.at, name);
  if (next_ == path_tree::none) return true;
  // Which of two would count differs from reader to reader.
  if (seen_[next_]) return false;
  seen_[next_] = true;
  return true;
}

bool document_walk::element() {
  if (open_.empty()) return false;
  auto& in = open_.back();
  if (in.at == path_tree::none || !(in.is_roles_list || paths_->has_children(in.at))) {
    next_ = path_tree::none;
    return true;
  }
  std::array<char, 32> digits;
  return member(in_decimal(digits, in.count));
}

bool document_walk::keep(path_tree::node at, std::string_view text) {
  return std::ranges::all_of(paths_->slots(at), [&](std::size_t slot) { return into_->set(slot, text); });
}

bool document_walk::value(std::string_view text, bool is_text) {
  if (open_.empty()) return false;  // a document is a container
  if (open_.back().is_roles_list) {
    // Whoever reads the list later takes it apart at commas, and blanks and nothing at all for no part of a name.
    if (!is_text || text.empty() || text.find(',') != text.npos || trim(text) != text || !is_utf8(text)) return false;
    if (open_.back().count > 1) roles_ += ',';
    roles_ += text;
  }
  auto const at = next_;
  next_ = path_tree::none;
  if (at == path_tree::none || paths_->slots(at).empty()) return true;
  return is_utf8(text) && keep(at, text);
}

bool document_walk::number(std::string_view written) {
  bool const zero = written.substr(0, written.find_first_of("eE")).find_first_of("123456789") == written.npos;
  return zero && holds(next_, field::user) ? null() : value(written, false);
}

bool document_walk::boolean(bool v) {
  if (holds(next_, field::user)) return !v && null();
  return value(v ? "true" : "false", false);
}

bool document_walk::null() {
  if (open_.empty() || open_.back().is_roles_list) return false;
  next_ = path_tree::none;
  return true;
}

bool document_walk::unreadable() const {
  return !open_.empty() && !open_.back().is_roles_list && next_ == path_tree::none;
}

}  // namespace doorward::session
