#include "session/php_record.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace doorward::session {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// -?(0|[1-9][0-9]*), which is all that PHP writes.
bool is_integer(std::string_view text) noexcept {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || text.size() > 20 || (text.size() > 1 && text.front() == '0')) return false;
  return std::ranges::all_of(text, is_digit);
}

// "1.5", "1.0E+25", "-0".
bool is_decimal(std::string_view text) noexcept {
  auto const digits = [&] {
    auto const n = static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
    text.remove_prefix(n);
    return n > 0;
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  if (!digits()) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!digits()) return false;
  }
  if (text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (!digits()) return false;
  }
  return text.empty();
}

class reader {
public:
  reader(std::string_view text, document_walk& walk) noexcept : rest_(text), walk_(walk) {}

  // `php_serialize`: the session is one array.
  bool array_alone() { return take_type() == 'a' && array() && rest_.empty(); }

  // `php`: name|value name|value, with nothing in between. An empty session is an empty text.
  bool members() {
    if (!walk_.enter(document_walk::kind::members)) return false;
    while (!rest_.empty()) {
      auto const bar = rest_.find('|');
      if (bar == rest_.npos) return false;
      auto const name = rest_.substr(0, bar);
      // In front of a name, a `!` once meant that no value follows.
      if (name.empty() || name.front() == '!') return false;
      rest_.remove_prefix(bar + 1);
      if (!walk_.member(name) || !value()) return false;
    }
    return walk_.leave();
  }

private:
  bool take(char c) noexcept {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // What stands before `end`, which goes with it; nothing longer than a number can be.
  std::optional<std::string_view> take_until(char end) noexcept {
    constexpr std::size_t longest = 64;
    auto const at = rest_.substr(0, longest).find(end);
    if (at == rest_.npos) return std::nullopt;
    auto const text = rest_.substr(0, at);
    rest_.remove_prefix(at + 1);
    return text;
  }

  // A length or a number of things, before `end`. Each of them takes a byte at least.
  std::optional<std::size_t> take_count(char end) noexcept {
    auto const text = take_until(end);
    if (!text || !is_integer(*text)) return std::nullopt;
    std::size_t n = 0;
    auto const [stop, ec] = std::from_chars(text->data(), text->data() + text->size(), n);
    if (ec != std::errc{} || stop != text->data() + text->size() || n > rest_.size()) return std::nullopt;
    return n;
  }

  // 5:"bytes"
  std::optional<std::string_view> take_quoted() noexcept {
    auto const n = take_count(':');
    if (!n || !take('"') || *n > rest_.size()) return std::nullopt;
    auto const bytes = rest_.substr(0, *n);
    rest_.remove_prefix(*n);
    if (!take('"')) return std::nullopt;
    return bytes;
  }

  // The letter and the colon behind it.
  char take_type() noexcept {
    if (rest_.size() < 2 || rest_[1] != ':') return '\0';
    auto const type = rest_[0];
    rest_.remove_prefix(2);
    return type;
  }

  bool value() {
    if (rest_.starts_with("N;")) {
      rest_.remove_prefix(2);
      return walk_.null();
    }
    switch (take_type()) {
      case 'b': return boolean();
      case 'i': return number(is_integer);
      case 'd': return floating();
      case 's': {
        auto const bytes = take_quoted();
        return bytes && take(';') && walk_.text(*bytes);
      }
      case 'a': return array();
      case 'O': return object();
      case 'C': return opaque_object();
      case 'E': return walk_.unreadable() && take_quoted() && take(';');
      case 'R':
      case 'r': {
        if (!walk_.unreadable()) return false;
        auto const target = take_until(';');
        return target && is_integer(*target);
      }
      default: return false;
    }
  }

  bool boolean() {
    auto const text = take_until(';');
    return text && (*text == "0" || *text == "1") && walk_.boolean(*text == "1");
  }

  bool number(bool (*is_one)(std::string_view)) {
    auto const text = take_until(';');
    return text && is_one(*text) && walk_.number(*text);
  }

  bool floating() {
    if (!rest_.starts_with("NAN;") && !rest_.starts_with("INF;") && !rest_.starts_with("-INF;"))
      return number(is_decimal);
    rest_.remove_prefix(rest_.find(';') + 1);
    return walk_.unreadable();
  }

  bool array() {
    auto const n = take_count(':');
    return n && take('{') && walk_.enter(document_walk::kind::elements) && pairs(*n);
  }

  // O:8:"stdClass":1:{s:1:"a";i:1;}
  bool object() {
    if (!walk_.unreadable() || !take_quoted() || !take(':')) return false;
    auto const n = take_count(':');
    return n && take('{') && walk_.enter(document_walk::kind::opaque) && pairs(*n);
  }

  // C:11:"ArrayObject":5:{bytes}: what a class has written for itself.
  bool opaque_object() {
    if (!walk_.unreadable() || !take_quoted() || !take(':')) return false;
    auto const n = take_count(':');
    if (!n || !take('{') || *n > rest_.size()) return false;
    rest_.remove_prefix(*n);
    return take('}');
  }

  // Goes as deep as the walk lets it.
  bool pairs(std::size_t n) {
    for (; n > 0; --n)
      if (!member_name() || !value()) return false;
    return take('}') && walk_.leave();
  }

  bool member_name() {
    auto const type = take_type();
    if (type == 's') {
      auto const name = take_quoted();
      return name && take(';') && walk_.member(*name);
    }
    auto const index = type == 'i' ? take_until(';') : std::nullopt;
    return index && is_integer(*index) && walk_.member(*index);
  }

  std::string_view rest_;
  document_walk& walk_;
};

// a:2:{
bool begins_with_array(std::string_view text) noexcept {
  if (!text.starts_with("a:")) return false;
  text.remove_prefix(2);
  auto const end = text.find_first_not_of("0123456789");
  return end != text.npos && end > 0 && text.substr(end).starts_with(":{");
}

}  // namespace

bool read_php(std::string_view text, document_walk& walk) {
  if (!begins_with_array(text)) return reader(text, walk).members() && walk.complete();
  // A variable of the session may have a name that looks like an array. No reader but the one it was written for is to
  // find somebody else in it.
  document_walk dry;
  dry.begin_without_record();
  if (reader(text, dry).members()) return false;
  return reader(text, walk).array_alone() && walk.complete();
}

}  // namespace doorward::session
