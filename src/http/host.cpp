#include "doorward/http/host.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "doorward/base/encoding.hpp"
#include "doorward/base/errc.hpp"

namespace doorward::http {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_name_byte(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
}

// What follows the name: nothing, or ':' and a number. The grammar allows "host:" with nothing behind (RFC 3986
// section 3.2.3).
bool is_port(std::string_view text) noexcept {
  if (text.empty()) return true;
  if (text.front() != ':' || text.size() > 6) return false;
  text.remove_prefix(1);
  if (!std::ranges::all_of(text, is_digit)) return false;
  unsigned port = 0;
  for (auto const c : text)
    port = port * 10 + static_cast<unsigned>(c - '0');
  return text.empty() || (port > 0 && port <= 65535);
}

// An IPv6 address in the one spelling of RFC 5952, because "[0::1]" must not miss a route for "[::1]".
bool normalise_ipv6(std::string_view address, std::string& out) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.size() >= text.size()) return false;
  std::ranges::copy(address, text.begin());  // what is left of the array ends it
  if (address.find('\0') != std::string_view::npos) return false;
  in6_addr bytes{};
  if (inet_pton(AF_INET6, text.data(), &bytes) != 1) return false;
  if (!inet_ntop(AF_INET6, &bytes, text.data(), static_cast<socklen_t>(text.size()))) return false;
  out = '[';
  out += text.data();
  out += ']';
  return true;
}

}  // namespace

result<void> normalise_host(std::string_view field, std::string& out) {
  static constexpr std::size_t longest_name = 253;  // RFC 1035 section 2.3.4, as text
  static constexpr std::size_t longest_label = 63;

  if (field.starts_with('[')) {
    auto const end = field.find(']');
    if (end == std::string_view::npos || !is_port(field.substr(end + 1))) return errc::bad_request;
    if (!normalise_ipv6(field.substr(1, end - 1), out)) return errc::bad_request;
    return {};
  }

  auto const colon = std::min(field.find(':'), field.size());
  auto name = field.substr(0, colon);
  if (!is_port(field.substr(colon))) return errc::bad_request;
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > longest_name) return errc::bad_request;

  out.clear();
  std::size_t label = 0;
  for (auto const raw : name) {
    auto const c = to_lower(raw);
    if (!is_name_byte(c)) return errc::bad_request;
    if (c == '.' && label == 0) return errc::bad_request;
    label = c == '.' ? 0 : label + 1;
    if (label > longest_label) return errc::bad_request;
    out += c;
  }
  if (label == 0) return errc::bad_request;  // "a.."
  return {};
}

bool host_matches(std::string_view pattern, std::string_view host) noexcept {
  if (pattern.empty()) return true;
  if (!pattern.starts_with("*.")) return pattern == host;
  auto const suffix = pattern.substr(1);  // with its dot, so that the name itself is not below itself
  return host.size() > suffix.size() && host.ends_with(suffix);
}

bool host_covers(std::string_view a, std::string_view b) noexcept {
  if (a.empty() || a == b) return true;
  if (b.empty()) return false;
  // "*.b.example" stands for names that all end in ".b.example".
  return a.starts_with("*.") && host_matches(a, b.starts_with("*.") ? b.substr(1) : b);
}

}  // namespace doorward::http
