#include "config/source.hpp"

#include <algorithm>
#include <array>

namespace doorward::config {
namespace {

unsigned char byte_at(std::string_view text, std::size_t i) noexcept {
  return static_cast<unsigned char>(text[i]);
}

bool continues(unsigned char c) noexcept {
  return (c & 0xC0U) == 0x80U;
}

// Length of the well-formed sequence at `i` (Unicode 15, table 3-7), 0 when there is none.
std::size_t sequence_length(std::string_view text, std::size_t i) noexcept {
  unsigned char const first = byte_at(text, i);
  if (first < 0x80U) return 1;
  std::size_t const length = first >= 0xF0U ? 4 : first >= 0xE0U ? 3 : 2;
  if (first < 0xC2U || first > 0xF4U || i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if (!continues(byte_at(text, i + k))) return 0;
  }
  unsigned char const second = byte_at(text, i + 1);
  bool const overlong = (first == 0xE0U && second < 0xA0U) || (first == 0xF0U && second < 0x90U);
  bool const surrogate = first == 0xEDU && second > 0x9FU;
  bool const too_large = first == 0xF4U && second > 0x8FU;
  return overlong || surrogate || too_large ? 0 : length;
}

bool allowed_control(std::string_view text, std::size_t i) noexcept {
  char const c = text[i];
  return c == '\t' || c == '\n' || (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n');
}

// Covers [from, to) with one star a character; returns the end of what stands there now.
std::size_t cover(std::string& line, std::size_t from, std::size_t to) {
  auto const stars = characters(std::string_view{line}.substr(from, to - from));
  line.replace(from, to - from, stars, '*');
  return from + stars;
}

// Names a variable or a file, which is what one wants to see.
bool is_interpolated(std::string const& line, std::size_t at) noexcept {
  return line.compare(at, 2, "${") == 0;
}

std::size_t after_blanks(std::string const& line, std::size_t at) noexcept {
  return std::min(line.find_first_not_of(' ', at), line.size());
}

// What `name`, which stands at `at`, is given.
void cover_value(std::string& line, std::size_t at, std::string_view name) {
  auto from = after_blanks(line, at + name.size());
  if (is_interpolated(line, from)) return;
  char const quote = from < line.size() ? line[from] : ' ';
  auto to = line.size();
  if (quote == '"' || quote == '\'') {
    if (is_interpolated(line, from + 1)) return;
    to = std::min(line.find(quote, ++from), line.size());
  } else if (name.back() == '=') {
    to = std::min(line.find_first_of("&\"' ", from), line.size());
  } else {
    // In a flow mapping the value ends at a comma; on a line of its own it may hold one.
    bool const own_line = line.find_first_not_of(" -\"'") == at;
    if (!own_line) to = std::min(line.find_first_of(",}", from), line.size());
  }
  cover(line, from, to);
}

// The same of a list, as far as it goes on this line. In a list of mappings there are names of files.
void cover_list(std::string& line, std::size_t at, std::string_view name) {
  auto from = after_blanks(line, at + name.size());
  if (from < line.size() && line[from] != '[') return cover_value(line, at, name);
  while (from < line.size() && line[from] != ']') {
    from = after_blanks(line, from + 1);
    if (from >= line.size() || line[from] == '{' || line[from] == ']') return;
    char const quote = line[from];
    bool const quoted = quote == '"' || quote == '\'';
    if (quoted) ++from;
    auto const to = quoted                        ? line.find(quote, from)
                    : is_interpolated(line, from) ? line.find('}', from)
                                                  : line.find_first_of(",]", from);
    auto const end = std::min(to, line.size());
    auto const shown_to = is_interpolated(line, from) ? end : cover(line, from, end);
    from = std::min(line.find_first_of(",]", shown_to), line.size());
  }
}

}  // namespace

std::string_view without_mark(std::string_view text) noexcept {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  return text.starts_with(mark) ? text.substr(mark.size()) : text;
}

std::size_t characters(std::string_view utf8) noexcept {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return !continues(static_cast<unsigned char>(c)); }));
}

std::string_view line_of(std::string_view text, std::size_t number) noexcept {
  for (std::size_t start = 0, line = 1; start <= text.size(); ++line) {
    auto const end = std::min(text.find('\n', start), text.size());
    if (line == number) {
      auto found = text.substr(start, end - start);
      if (found.ends_with('\r')) found.remove_suffix(1);
      return found;
    }
    start = end + 1;
  }
  return {};
}

position position_of(std::string_view text, std::size_t offset) noexcept {
  auto const before = text.substr(0, offset);
  auto const line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  auto const start = line == 0 ? 0 : before.rfind('\n') + 1;
  return {line + 1, characters(before.substr(start)) + 1};
}

std::optional<std::size_t> find_bad_byte(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    auto const length = sequence_length(text, i);
    if (length == 0) return i;
    bool const control = length == 1 && (byte_at(text, i) < 0x20U || byte_at(text, i) == 0x7FU);
    if (control && !allowed_control(text, i)) return i;
    i += length;
  }
  return std::nullopt;
}

std::string mask_secrets(std::string_view line) {
  std::string out{line};
  // redis://user:password@host: everything up to the last '@' of the same word.
  for (auto at = out.find("://"); at != std::string::npos; at = out.find("://", at + 3)) {
    auto const word = out.substr(at + 3, out.find_first_of(" \t\"'", at + 3) - (at + 3));
    auto const end = word.rfind('@');
    if (end != std::string::npos) cover(out, at + 3, at + 3 + end);
  }
  static constexpr std::array<std::string_view, 7> names{
      "password:", "password\":", "password':", "password=", "token:", "token\":", "token':"};
  for (auto const name : names)
    for (auto at = out.find(name); at != std::string::npos; at = out.find(name, at + name.size()))
      cover_value(out, at, name);
  static constexpr std::array<std::string_view, 3> lists{"keys:", "keys\":", "keys':"};
  for (auto const name : lists)
    for (auto at = out.find(name); at != std::string::npos; at = out.find(name, at + name.size()))
      cover_list(out, at, name);
  return out;
}

}  // namespace doorward::config
