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

// Covers [from, to) with one star a character.
void cover(std::string& line, std::size_t from, std::size_t to) {
  auto const stars = characters(std::string_view{line}.substr(from, to - from));
  line.replace(from, to - from, stars, '*');
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
  for (auto const name : names) {
    for (auto at = out.find(name); at != std::string::npos; at = out.find(name, at + name.size())) {
      auto from = at + name.size();
      while (from < out.size() && out[from] == ' ')
        ++from;
      if (out.compare(from, 2, "${") == 0) continue;  // names a variable or a file, which is what one wants to see
      char const quote = from < out.size() ? out[from] : ' ';
      auto to = out.size();
      if (quote == '"' || quote == '\'') {
        if (out.compare(from + 1, 2, "${") == 0) continue;
        to = std::min(out.find(quote, ++from), out.size());
      } else if (name.back() == '=') {
        to = std::min(out.find_first_of("&\"' ", from), out.size());
      } else {
        // In a flow mapping the value ends at a comma; on a line of its own it may hold one.
        bool const own_line = out.find_first_not_of(" -\"'") == at;
        if (!own_line) to = std::min(out.find_first_of(",}", from), out.size());
      }
      cover(out, from, to);
    }
  }
  return out;
}

}  // namespace doorward::config
