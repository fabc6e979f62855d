#include <algorithm>
#include <array>
#include <cstdint>

#include "doorward/http/target.hpp"
#include "http/path_bytes.hpp"

// How servers of different habits read one canonical path. Each habit is a step that some server is known to take; a
// reading is a choice of habits, taken in the order in which servers take them.
namespace doorward::http {
namespace {

using namespace detail;

// What becomes of ";params".
enum class params : std::uint8_t {
  keep,
  drop_each,  // of every segment (RFC 3986 section 3.3; Java servlet containers)
  drop_last,  // of the last segment only (RFC 1808 section 2.4.5; Python's urlparse)
  drop_rest,  // everything after the first ';' (filters that cut ";jsessionid" with substring and indexOf)
};

struct habits {
  bool slash = false;      // decodes %2F before it looks for segments
  bool backslash = false;  // decodes %5C and takes it for a separator
  params drop = params::keep;
  bool drop_undecoded = false;     // drops before it decodes, so that "%2F" is inside the params
  bool escaped_semicolon = false;  // drops after it decoded "%3B" as well
  bool authority = false;          // takes "//name" in front for an authority (RFC 3986 section 4.2)
  bool merge = false;              // "//" is "/"
};

// The habits about params that lead to different readings.
struct params_habit {
  params drop;
  bool undecoded;
  bool escaped;
};
constexpr std::array params_habits{
    params_habit{params::keep, false, false},      params_habit{params::drop_each, true, false},
    params_habit{params::drop_last, true, false},  params_habit{params::drop_rest, true, false},
    params_habit{params::drop_each, false, false}, params_habit{params::drop_last, false, false},
    params_habit{params::drop_rest, false, false}, params_habit{params::drop_each, false, true},
    params_habit{params::drop_last, false, true},  params_habit{params::drop_rest, false, true},
};

// Where the first ';' (or "%3B") at or after `from` is, or the size of the path.
std::size_t find_semicolon(std::string_view path, std::size_t from, bool escaped) noexcept {
  auto const raw = std::min(path.find(';', from), path.size());
  return escaped ? std::min(raw, path.find("%3B", from)) : raw;
}

void drop_params(std::string& path, params which, bool escaped) {
  if (which == params::keep) return;
  auto at = find_semicolon(path, which == params::drop_last ? path.rfind('/') : 0, escaped);
  if (which != params::drop_each) {
    path.resize(at);
    return;
  }
  auto out = at;
  while (at < path.size()) {
    auto const slash = std::min(path.find('/', at), path.size());
    at = find_semicolon(path, slash, escaped);
    for (auto i = slash; i < at; ++i)
      path[out++] = path[i];
  }
  path.resize(out);
}

void decode_separators(std::string& path, bool slash, bool backslash) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    auto const escape = std::string_view(path).substr(i, 3);
    if ((slash && escape == "%2F") || (backslash && escape == "%5C")) {
      path[out++] = '/';
      i += 2;
    } else {
      path[out++] = path[i];
    }
  }
  path.resize(out);
}

void drop_authority(std::string& path) {
  if (!path.starts_with("//")) return;
  path.erase(0, std::min(path.find('/', 2), path.size()));
  if (path.empty()) path = '/';
}

// Leaves in `path` how a server of these habits reads `text`.
void read(std::string_view text, habits const& h, std::string& path) {
  path = text;
  if (h.drop_undecoded) drop_params(path, h.drop, false);
  decode_separators(path, h.slash, h.backslash);
  if (!h.drop_undecoded) drop_params(path, h.drop, h.escaped_semicolon);
  if (h.authority) drop_authority(path);
  if (h.merge)
    path.erase(std::ranges::unique(path, [](char a, char b) { return a == '/' && b == '/'; }).begin(), path.end());
  if (resolve_dots(path) != dots::resolved) path = unreadable_path;
}

// Every combination that the features of a path call for, in a list without repeats.
std::vector<habits> habits_for(unsigned features, bool authority) {
  std::vector<habits> all;
  for (auto const& p : params_habits) {
    if (p.drop != params::keep) {
      bool const separators = (features & (escaped_slash | escaped_backslash)) != 0;
      // Before or after decoding is one and the same where there is nothing to decode.
      if (p.undecoded && !separators) continue;
      if (p.escaped ? !(features & escaped_semicolon) : !(features & raw_semicolon)) continue;
    }
    for (unsigned bits = 0; bits < 16; ++bits) {
      habits h;
      h.slash = bits & 1;
      h.backslash = bits & 2;
      h.authority = bits & 4;
      h.merge = bits & 8;
      h.drop = p.drop;
      h.drop_undecoded = p.undecoded;
      h.escaped_semicolon = p.escaped;
      if (h.slash && !(features & escaped_slash)) continue;
      if (h.backslash && !(features & escaped_backslash)) continue;
      if (h.authority && !authority) continue;
      all.push_back(h);
    }
  }
  return all;
}

}  // namespace

std::vector<std::string> canonical_path::readings() const {
  // Bytes that are gone through for one path at most. A long path of one habit, or a short one of all, stays far below.
  static constexpr std::size_t most_work = 256 * 1024;

  std::vector<std::string> readings;
  if (plain()) return readings;
  // An authority may be in front from the start, or once something has been decoded or dropped.
  static constexpr std::array fronts{"//", "/;", "/%2F", "/%5C", "/%3B"};
  bool const authority = std::ranges::any_of(fronts, [&](auto front) { return text_.starts_with(front); });
  auto const all = habits_for(features_, authority);
  if (all.size() * text_.size() > most_work) {
    readings.emplace_back(unreadable_path);
    return readings;
  }
  std::string reading;
  for (auto const& h : all) {
    read(text_, h, reading);
    if (reading != text_ && std::ranges::find(readings, reading) == readings.end()) readings.push_back(reading);
  }
  return readings;
}

}  // namespace doorward::http
