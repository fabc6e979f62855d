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

// When "//name" in front is taken for an authority (RFC 3986 section 4.2).
enum class authority : std::uint8_t { never, undecoded, with_slashes_decoded, with_params, decoded };

struct habits {
  params drop_undecoded = params::keep;  // before anything is decoded, so that "%2F" is inside the params
  bool slash = false;                    // "%2F" is decoded before segments are looked for
  bool backslash = false;                // "%5C" is decoded, and a separator
  params drop = params::keep;            // once decoded
  bool escaped_semicolon = false;        // "%3B" has been decoded by then
  bool late_backslash = false;           // "%5C" becomes a separator only after that
  authority front = authority::never;
  bool merge = false;  // "//" is "/"
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

void decode(std::string& path, std::string_view separator) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    bool const found = path.compare(i, separator.size(), separator) == 0;
    path[out++] = found ? '/' : path[i];
    if (found) i += separator.size() - 1;
  }
  path.resize(out);
}

// An authority ends at the third slash, but where slashes merge early it may have been one of several that was the
// second.
void drop_authority(std::string& path, bool merge) {
  if (!path.starts_with("//")) return;
  auto const name = merge ? std::min(path.find_first_not_of('/'), path.size()) : 2;
  path.erase(0, std::min(path.find('/', name), path.size()));
  if (path.empty()) path = '/';
}

// Leaves in `path` how a server of these habits reads `text`.
void read(std::string_view text, habits const& h, std::string& path) {
  path = text;
  drop_params(path, h.drop_undecoded, false);
  if (h.front == authority::undecoded) drop_authority(path, h.merge);
  if (h.slash) decode(path, "%2F");
  if (h.front == authority::with_slashes_decoded) drop_authority(path, h.merge);
  if (h.backslash && !h.late_backslash) decode(path, "%5C");
  if (h.front == authority::with_params) drop_authority(path, h.merge);
  drop_params(path, h.drop, h.escaped_semicolon);
  if (h.late_backslash) decode(path, "%5C");
  if (h.front == authority::decoded) drop_authority(path, h.merge);
  if (h.merge) {
    auto const both_slashes = [](char a, char b) { return a == '/' && b == '/'; };
    path.erase(std::unique(path.begin(), path.end(), both_slashes), path.end());
  }
  // Dot segments beside a "//" in front: an authority may be taken off before they are resolved, or after.
  auto const before = path.size();
  bool had_authority = path.starts_with("//");
  bool const readable = resolve_dots(path) == dots::resolved;
  had_authority = had_authority || path.starts_with("//");
  if (!readable || (had_authority && path.size() != before)) path = unreadable_path;
}

// Whether habits differ from simpler ones at all on a path of these features.
bool matter(habits const& h, unsigned features) noexcept {
  bool const drops_first = h.drop_undecoded != params::keep;
  bool const drops = h.drop != params::keep;
  bool const decodes = h.slash || h.backslash;
  if (h.slash && !(features & escaped_slash)) return false;
  if (h.backslash && !(features & escaped_backslash)) return false;
  if (drops_first && !(features & raw_semicolon)) return false;
  // Before or after decoding is one and the same where nothing is decoded.
  if (drops_first && !decodes && !(features & escaped_semicolon)) return false;
  if (h.late_backslash && !(h.backslash && drops)) return false;
  if (h.front == authority::undecoded && !decodes && !drops) return false;
  if (h.front == authority::with_slashes_decoded && !(h.slash && h.backslash)) return false;
  if (h.front == authority::with_params && !(decodes && drops)) return false;
  if (h.escaped_semicolon) return drops && (features & escaped_semicolon);
  return !drops || (!drops_first && (features & raw_semicolon));
}

std::vector<habits> combine(unsigned features, bool may_have_authority) {
  static constexpr std::array ways{params::keep, params::drop_each, params::drop_last, params::drop_rest};
  static constexpr std::array fronts{authority::never, authority::undecoded, authority::with_slashes_decoded,
                                     authority::with_params, authority::decoded};
  std::vector<habits> all;
  for (auto const first : ways) {
    for (auto const then : ways) {
      for (auto const front : fronts) {
        if (front != authority::never && !may_have_authority) continue;
        for (unsigned bits = 0; bits < 32; ++bits) {
          habits h;
          h.drop_undecoded = first;
          h.drop = then;
          h.front = front;
          h.slash = bits & 1;
          h.backslash = bits & 2;
          h.escaped_semicolon = bits & 4;
          h.merge = bits & 8;
          h.late_backslash = bits & 16;
          if (matter(h, features)) all.push_back(h);
        }
      }
    }
  }
  return all;
}

// Combined once, not a request.
std::vector<habits> const& habits_for(unsigned features, bool may_have_authority) {
  static auto const table = [] {
    std::array<std::vector<habits>, 2 * all_features + 2> lists;
    for (unsigned i = 0; i < lists.size(); ++i)
      lists[i] = combine(i / 2, i % 2 != 0);
    return lists;
  }();
  return table[2 * features + (may_have_authority ? 1 : 0)];
}

}  // namespace

std::vector<std::string> canonical_path::readings() const {
  // Bytes that are gone through for one path at most. A long path of one habit, or a short one of all, stays far below.
  static constexpr std::size_t most_work = 64 * 1024;
  // Three of the four doubts together, or all but an authority in front, stay below. No program writes more of them in
  // one path, and going through all would cost a hundred times what the request did.
  static constexpr std::size_t most_habits = 128;
  // Each is matched against the routes. A path that people or programs make has a handful.
  static constexpr std::size_t most_readings = 64;

  std::vector<std::string> readings;
  if (plain()) return readings;
  if (features_ & swallowed) {
    readings.emplace_back(unreadable_path);
    return readings;
  }
  // An authority may be in front from the start, or once something has been decoded or dropped.
  static constexpr std::array fronts{"//", "/;", "/%2F", "/%5C", "/%3B"};
  bool const may_have_authority = std::ranges::any_of(fronts, [&](auto front) { return text_.starts_with(front); });
  auto const& all = habits_for(features_, may_have_authority);
  if (all.size() > most_habits || all.size() * text_.size() > most_work) {
    readings.emplace_back(unreadable_path);
    return readings;
  }
  std::string reading;
  for (auto const& h : all) {
    read(text_, h, reading);
    if (reading == text_ || std::ranges::find(readings, reading) != readings.end()) continue;
    if (readings.size() == most_readings) {
      readings.assign(1, std::string(unreadable_path));
      break;
    }
    readings.push_back(reading);
  }
  return readings;
}

}  // namespace doorward::http
