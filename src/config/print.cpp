#include <algorithm>
#include <ostream>

#include "config/source.hpp"
#include "doorward/config/load.hpp"

namespace doorward::config {
namespace {

constexpr std::size_t widest = 160;  // characters of a source line that are shown

std::size_t offset_of(std::string_view line, std::size_t character) {
  std::size_t at = 0;
  while (at < line.size() && character > 0) {
    ++at;
    while (at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0U) == 0x80U)
      ++at;
    --character;
  }
  return at;
}

// Keys reach messages as they were written, and YAML can write any byte: none of them may steer a terminal.
std::string harmless(std::string_view text) {
  std::string out{text};
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7F; }, '?');
  return out;
}

// `- abc`: an item that is no mapping.
bool is_bare_item(std::string_view line, std::size_t begin) {
  return line.find('-') < begin && line.find(": ") == line.npos;
}

// The name stands on this line in a way that mask_secrets knows.
bool is_named(std::string_view line, std::string_view name) {
  auto const at = line.find(name);
  if (at == line.npos) return false;
  auto const rest = line.substr(at + name.size());
  return rest.starts_with(':') || rest.starts_with("\":") || rest.starts_with("':");
}

// The name of the secret that a problem is about; empty where it is about none. Where the file could not be taken
// apart, nobody knows what a bare item is an item of.
std::string_view secret_of(problem const& p, std::string_view line, std::size_t begin) {
  if (p.path.starts_with("session.cookie.keys[") || (p.path.empty() && is_bare_item(line, begin))) return "keys";
  if (p.path == "admin.token") return "token";
  return p.path == "redis.password" ? "password" : std::string_view{};
}

// A secret on a line of its own, or behind a name in an unusual spelling, is not seen by mask_secrets.
std::string masked(std::string_view line, problem const& p) {
  auto out = mask_secrets(line);
  std::string_view const shown = out;
  auto begin = std::min(shown.find_first_not_of(" \t-"), shown.size());
  auto const name = secret_of(p, shown, begin);
  if (name.empty() || is_named(shown.substr(0, offset_of(shown, p.where.column - 1)), name)) return out;
  if (auto const colon = shown.find(':'); name != "keys" && colon != shown.npos)
    begin = std::min(shown.find_first_not_of(" \t:", colon), shown.size());
  auto const source = shown.find("${", begin);
  bool const names_source = source != shown.npos && source <= begin + 1 && shown.find(',', source) == shown.npos;
  if (!names_source) std::fill(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), '*');
  return out;
}

// The line with a caret under the column (from 1). Of a long line, the part around it.
void print_source(std::ostream& out, std::string const& line, std::size_t column) {
  std::size_t const caret = column - 1;
  std::size_t const skipped = caret > widest / 2 && characters(line) > widest ? caret - widest / 2 : 0;
  auto const from = offset_of(line, skipped);
  auto const to = offset_of(line, skipped + widest);
  out << "  " << std::string_view{line}.substr(from, to - from) << "\n  ";
  // Tabs stay tabs, so that the caret stands right whatever they are worth.
  auto const before = std::string_view{line}.substr(from, offset_of(line, caret) - from);
  for (char const c : before) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) out << (c == '\t' ? '\t' : ' ');
  }
  out << "^\n";
}

}  // namespace

void print(std::ostream& out, std::vector<problem> const& problems, std::string_view text, std::string const& file) {
  text = without_mark(text);
  for (auto const& p : problems) {
    out << file << ':';
    if (p.where.line > 0) out << p.where.line << ':' << p.where.column << ':';
    out << (p.severity == problem::level::error ? " error: " : " warning: ");
    if (!p.path.empty()) out << harmless(p.path) << ": ";
    out << harmless(p.text) << '\n';
    if (p.where.line > 0) {
      auto const line = masked(line_of(text, p.where.line), p);
      if (line.find_first_not_of(" \t") != std::string::npos) print_source(out, line, p.where.column);
    }
    if (!p.suggestion.empty()) out << "  " << harmless(p.suggestion) << '\n';
  }
}

}  // namespace doorward::config
