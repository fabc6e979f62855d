#include "doorward/http/target.hpp"

#include <algorithm>
#include <vector>

#include "doorward/base/errc.hpp"
#include "http/path_bytes.hpp"

namespace doorward::http {
namespace detail {

dots resolve_dots(std::string& path) noexcept {
  auto outcome = dots::resolved;
  if (path.find("/.") == std::string::npos) return outcome;
  std::size_t out = 0;
  for (std::size_t at = 0; at < path.size();) {  // path[at] is the '/' in front of a segment
    auto const end = std::min(path.find('/', at + 1), path.size());
    auto const segment = std::string_view(path).substr(at + 1, end - at - 1);
    if (!is_dot_segment(segment)) {
      std::copy(path.begin() + static_cast<std::ptrdiff_t>(at), path.begin() + static_cast<std::ptrdiff_t>(end),
                path.begin() + static_cast<std::ptrdiff_t>(out));
      out += end - at;
    } else {
      if (segment.size() == 2) {
        if (out == 0) return dots::climbed;
        auto const parent = path.rfind('/', out - 1);
        if (parent + 1 == out) outcome = dots::removed_empty;
        out = parent;
      }
      // A dot segment at the end leaves the slash that stood in front of it.
      if (end == path.size()) path[out++] = '/';
    }
    at = end;
  }
  path.resize(out);
  return outcome;
}

}  // namespace detail

namespace {

using namespace detail;

// True when the escape at `at`, of a byte of escape_class::overlong, begins an overlong form of an ASCII byte
// (RFC 3629 section 3). Decoders that take these for '/' or '.' have let attackers out of many a directory; a Latin-1
// name such as "%C0b" is not concerned.
bool is_overlong_ascii(std::string_view text, std::size_t at) noexcept {
  auto const tail = [&](std::size_t n, int low, int high) {
    auto const here = at + 3 * n;
    if (here >= text.size() || text[here] != '%') return false;
    auto const byte = escape_value(text, here);
    return byte >= low && byte <= high;
  };
  switch (escape_value(text, at)) {
    case 0xe0: return tail(1, 0x80, 0x81) && tail(2, 0x80, 0xbf);
    case 0xf0: return tail(1, 0x80, 0x80) && tail(2, 0x80, 0x81) && tail(3, 0x80, 0xbf);
    default: return tail(1, 0x80, 0xbf);
  }
}

enum class verdict {
  canonical,
  rewritable,  // fine, but not canonical yet
  refused,
};

// The one scan. Stops at the first byte that settles the verdict.
verdict scan(std::string_view path, unsigned& features) noexcept {
  for (std::size_t i = 0; i < path.size(); ++i) {
    switch (class_of(path[i])) {
      case byte_class::ordinary: break;
      case byte_class::slash: {
        if (i + 1 == path.size()) break;
        if (path[i + 1] == '/')
          features |= empty_segment;
        else if (path[i + 1] == '.' && is_dot_segment(path.substr(i + 1, path.find('/', i + 1) - i - 1)))
          return verdict::rewritable;
        break;
      }
      case byte_class::semicolon: features |= raw_semicolon; break;
      case byte_class::percent: {
        auto const byte = escape_value(path, i);
        if (byte < 0) return verdict::refused;
        switch (escape_classes[static_cast<std::size_t>(byte)]) {
          case escape_class::unreserved: return verdict::rewritable;
          case escape_class::slash: features |= escaped_slash; break;
          case escape_class::backslash: features |= escaped_backslash; break;
          case escape_class::semicolon: features |= escaped_semicolon; break;
          case escape_class::refused: return verdict::refused;
          case escape_class::overlong:
            if (is_overlong_ascii(path, i)) return verdict::refused;
            break;
          case escape_class::reserved:
          case escape_class::kept: break;
        }
        if (path[i + 1] >= 'a' || path[i + 2] >= 'a') return verdict::rewritable;
        i += 2;
        break;
      }
      case byte_class::refused: return verdict::refused;
    }
  }
  return verdict::canonical;
}

// Decodes what the canonical form decodes and puts the other escapes in upper case. False for whatever is refused: also
// in what a ".." will remove, because rubbish does not become sound by being in the way.
bool rewrite_escapes(std::string_view raw, std::string& out) {
  static constexpr char upper_hex[] = "0123456789ABCDEF";
  out.clear();
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      if (class_of(raw[i]) == byte_class::refused) return false;
      out += raw[i];
      continue;
    }
    auto const byte = escape_value(raw, i);
    if (byte < 0) return false;
    auto const kind = escape_classes[static_cast<std::size_t>(byte)];
    if (kind == escape_class::refused || (kind == escape_class::overlong && is_overlong_ascii(raw, i))) return false;
    if (kind == escape_class::unreserved) {
      out += static_cast<char>(byte);
    } else {
      out += '%';
      out += upper_hex[byte >> 4];
      out += upper_hex[byte & 15];
    }
    i += 2;
  }
  return true;
}

// True when a ".." removes a segment that servers read in different ways: they then differ in what is left, although
// nothing of it is to be seen in the canonical form. `path` has its dot segments still, and its escapes in upper case.
bool swallows_doubt(std::string_view path) {
  std::vector<bool> doubtful;
  while (!path.empty()) {
    path.remove_prefix(1);  // the '/'
    auto const segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    if (segment == ".") continue;
    if (segment != "..") {
      auto const marked = segment.find(';') != segment.npos || segment.find("%2F") != segment.npos ||
                          segment.find("%5C") != segment.npos || segment.find("%3B") != segment.npos;
      doubtful.push_back(segment.empty() || marked);
      continue;
    }
    if (doubtful.empty()) return false;  // it climbs, and is refused for that
    if (doubtful.back()) return true;
    doubtful.pop_back();
  }
  return false;
}

}  // namespace

result<canonical_path> canonicalise(std::string_view raw, std::string& scratch) {
  if (raw.empty() || raw.front() != '/') return errc::bad_request;
  canonical_path path;
  path.text_ = raw;
  auto found = scan(raw, path.features_);
  if (found == verdict::rewritable) {
    if (!rewrite_escapes(raw, scratch)) return errc::bad_request;
    path.features_ = swallows_doubt(scratch) ? unsigned{swallowed} : 0u;
    if (resolve_dots(scratch) == dots::climbed) return errc::bad_request;
    path.text_ = scratch;
    found = scan(path.text_, path.features_);
  }
  if (found != verdict::canonical) return errc::bad_request;
  return path;
}

std::string decode_reserved(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    auto const byte = path[i] == '%' ? escape_value(path, i) : -1;
    if (byte >= 0 && escape_classes[static_cast<std::size_t>(byte)] == escape_class::reserved) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += path[i];
    }
  }
  return out;
}

bool has_reserved(std::string_view path) noexcept {
  return std::ranges::any_of(
      path, [](char c) { return escape_classes[static_cast<unsigned char>(c)] == escape_class::reserved; });
}

target_parts split_target(std::string_view target) noexcept {
  auto const mark = target.find('?');
  if (mark == std::string_view::npos) return {target, {}, false};
  return {target.substr(0, mark), target.substr(mark + 1), true};
}

}  // namespace doorward::http
