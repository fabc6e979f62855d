#include <algorithm>

#include "doorward/base/encoding.hpp"
#include "doorward/http/target.hpp"
#include "http/path_bytes.hpp"

namespace doorward::http {
namespace {

using namespace detail;

bool is_control(char c) noexcept {
  auto const byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

// One round of decoding that leaves alone what is no escape, as lenient decoders do: "/%5c%" must not pass because it
// is half broken.
std::string decode_leniently(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto const byte = text[i] == '%' ? escape_value(text, i) : -1;
    out += byte < 0 ? text[i] : static_cast<char>(byte);
    if (byte >= 0) i += 2;
  }
  return out;
}

// '?' and '#' end a segment too: decoding may have brought them in.
bool has_dot_segment(std::string_view path) noexcept {
  while (!path.empty()) {
    auto const end = std::min(path.find_first_of("/?#"), path.size());
    if (is_dot_segment(path.substr(0, end))) return true;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return false;
}

// What has to hold before and after each round of decoding.
bool stays_here(std::string_view path, std::string_view tail) noexcept {
  if (!path.starts_with('/') || path.starts_with("//")) return false;
  auto const leaves = [](char c) { return c == '\\' || is_control(c); };
  if (std::ranges::any_of(path, leaves) || std::ranges::any_of(tail, leaves)) return false;
  return !has_dot_segment(path);
}

// A component of a query, '+' being a space unless it was escaped.
bool decode_component(std::string& out, std::string_view text) {
  if (text.find('+') == std::string_view::npos) return percent_decode(out, text);
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return percent_decode(out, spaced);
}

}  // namespace

bool is_local_return_path(std::string_view next) {
  static constexpr std::size_t most = 2048;
  if (next.size() > most) return false;
  // It goes into a Location field as it is.
  if (std::ranges::any_of(next, [](char c) { return c == ' ' || static_cast<unsigned char>(c) >= 0x80; })) return false;
  for (std::size_t i = 0; i < next.size(); ++i)
    if (next[i] == '%' && escape_value(next, i) < 0) return false;

  auto const mark = std::min(next.find_first_of("?#"), next.size());
  std::string path(next.substr(0, mark));
  std::string tail(next.substr(mark));
  for (int round = 0; round < 3; ++round) {
    if (!stays_here(path, tail)) return false;
    path = decode_leniently(path);
    tail = decode_leniently(tail);
  }
  return true;
}

bool query_parameter(std::string_view query, std::string_view name, std::string& out) {
  while (!query.empty()) {
    auto const end = std::min(query.find('&'), query.size());
    auto const pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    auto const equals = std::min(pair.find('='), pair.size());
    if (!decode_component(out, pair.substr(0, equals)) || out != name) continue;
    return decode_component(out, pair.substr(std::min(equals + 1, pair.size())));
  }
  return false;
}

}  // namespace doorward::http
