#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/session/field_layout.hpp"
#include "doorward/session/record.hpp"

namespace doorward::session {

/// Where a reader is in somebody's document, and what of it is wanted. The reader says what it comes by, in order;
/// every call that is false ends the reading: the document cannot be read without guessing. Used again and again, for
/// the memory it holds.
class document_walk {
public:
  /// Deeper documents are not read.
  static constexpr std::size_t deepest = 64;

  enum class kind {
    members,   ///< a container whose members have names
    elements,  ///< a list, or what may be one (PHP has no other array)
    opaque,    ///< nothing in it is ever wanted: an object of some class
  };

  /// Makes it new. `into` must have a layout, and hold while the document is walked.
  void begin(record& into);

  /// A container begins: the document itself or, after member(), the value of a member.
  [[nodiscard]] bool enter(kind k);
  [[nodiscard]] bool leave();

  /// The name of the member whose value is next.
  [[nodiscard]] bool member(std::string_view name);
  /// The value that is next has no name: it is the next element of a list.
  [[nodiscard]] bool element();

  /// The value of a member: text, or something else that is written as `text` (a number, a boolean).
  [[nodiscard]] bool text(std::string_view text) { return value(text, true); }
  [[nodiscard]] bool scalar(std::string_view text) { return value(text, false); }
  /// No value: as if the member were not there.
  [[nodiscard]] bool null();
  /// A value that cannot be read: fine where nobody wants it.
  [[nodiscard]] bool unreadable() const;

  /// The document as a whole has been walked.
  [[nodiscard]] bool complete() const noexcept { return began_ && open_.empty(); }

private:
  struct container {
    path_tree::node at;
    std::size_t count;   ///< of members so far
    bool is_roles_list;  ///< its elements are put together
  };
  [[nodiscard]] bool value(std::string_view text, bool is_text);
  [[nodiscard]] bool keep(path_tree::node at, std::string_view text);
  [[nodiscard]] bool holds_roles(path_tree::node at) const noexcept;

  record* into_ = nullptr;
  path_tree const* paths_ = nullptr;
  std::vector<container> open_;
  std::vector<bool> seen_;                  ///< by node: it came by already
  path_tree::node next_ = path_tree::root;  ///< where the next value belongs
  std::string roles_;                       ///< of the list that is being read
  bool began_ = false;
};

}  // namespace doorward::session
