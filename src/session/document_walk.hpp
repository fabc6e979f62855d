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
  /// The same for a walk that wants nothing: what is left is whether the document is well-formed.
  void begin_without_record();

  /// A container begins: the document itself or, after member(), the value of a member.
  [[nodiscard]] bool enter(kind k);
  [[nodiscard]] bool leave();

  /// The name of the member whose value is next.
  [[nodiscard]] bool member(std::string_view name);
  /// The value that is next has no name: it is the next element of a list.
  [[nodiscard]] bool element();

  /// The value of a member. Programs write `false` and 0 for "nobody", so as the user these are as null is; and `true`
  /// says of nobody who it is, so it cannot be read there.
  [[nodiscard]] bool text(std::string_view text) { return value(text, true); }
  [[nodiscard]] bool number(std::string_view written);
  [[nodiscard]] bool boolean(bool v);
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
  void begin_at(path_tree const& paths);
  [[nodiscard]] bool value(std::string_view text, bool is_text);
  [[nodiscard]] bool keep(path_tree::node at, std::string_view text);
  [[nodiscard]] bool holds(path_tree::node at, field f) const noexcept;

  record* into_ = nullptr;
  path_tree const* paths_ = nullptr;
  std::vector<container> open_;
  std::vector<bool> seen_;                  ///< by node: it came by already
  path_tree::node next_ = path_tree::root;  ///< where the next value belongs
  std::string roles_;                       ///< of the list that is being read
  bool began_ = false;
};

}  // namespace doorward::session
