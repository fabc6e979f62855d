#include "doorward/http/forwarded.hpp"

#include <algorithm>

#include "doorward/base/encoding.hpp"
#include "doorward/http/token.hpp"

namespace doorward::http {
namespace {

void skip_blanks(std::string_view& rest) noexcept {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
}

std::string_view take_token(std::string_view& rest) noexcept {
  auto const end = std::ranges::find_if_not(rest, [](char c) { return is_token_byte(static_cast<unsigned char>(c)); });
  auto const token = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(token.size());
  return token;
}

// A quoted string with an escape in it names no address, and is refused with everything else that does not.
bool take_value(std::string_view& rest, std::string_view& value) noexcept {
  if (!rest.starts_with('"')) {
    value = take_token(rest);
    return !value.empty();
  }
  auto const end = rest.find_first_of("\"\\", 1);
  if (end == rest.npos || rest[end] == '\\') return false;
  value = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  return true;
}

// One element, up to the comma behind it or the end.
bool take_element(std::string_view& rest, std::string_view& node) noexcept {
  for (;;) {
    skip_blanks(rest);
    auto const name = take_token(rest);
    if (!name.empty()) {
      if (!rest.starts_with('=')) return false;
      rest.remove_prefix(1);
      std::string_view value;
      if (!take_value(rest, value)) return false;
      if (iequals(name, "for")) {
        if (!node.empty()) return false;  // section 4: no parameter twice
        node = value;
      }
    }
    skip_blanks(rest);
    if (rest.empty() || rest.front() == ',') return true;
    if (rest.front() != ';') return false;
    rest.remove_prefix(1);
  }
}

}  // namespace

bool append_forwarded_for(std::string_view value, std::vector<std::string_view>& out) {
  auto const before = out.size();
  for (auto rest = value;;) {
    std::string_view node;
    if (!take_element(rest, node)) {
      out.resize(before);
      return false;
    }
    out.push_back(node);
    if (rest.empty()) return true;
    rest.remove_prefix(1);
  }
}

std::string_view node_address(std::string_view node) noexcept {
  if (node.starts_with('[')) {
    auto const end = node.find(']');
    return end == node.npos ? std::string_view{} : node.substr(1, end - 1);
  }
  // More than one colon is an IPv6 address without brackets, as X-Forwarded-For has it.
  auto const colon = node.find(':');
  return colon != node.npos && node.find(':', colon + 1) == node.npos ? node.substr(0, colon) : node;
}

}  // namespace doorward::http
