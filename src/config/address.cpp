#include "config/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "config/scalars.hpp"
#include "doorward/base/encoding.hpp"

namespace doorward::config {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_alnum(char c) noexcept {
  return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
}

bool all_digits(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// A name whose last label is a number has to be an IPv4 address (WHATWG URL, "ends in a number"): 127.0.0.1.5 and
// 10.0.0.256 are typing errors, not names.
bool ends_in_number(std::string_view host) {
  return all_digits(host.substr(host.rfind('.') + 1));
}

bool is_ipv4(std::string_view text) {
  in_addr address{};
  return inet_pton(AF_INET, std::string{text}.c_str(), &address) == 1;
}

complaint no_listen_address(std::string_view text) {
  constexpr char what[] = "not an address to listen on: `host:port`, `[v6]:port` or `unix:/path`";
  if (all_digits(text)) return complaint{what, fmt::format("write `127.0.0.1:{}`", text)};
  if (text.starts_with(':') && all_digits(text.substr(1)))
    return complaint{what, fmt::format("write `0.0.0.0{}`", text)};
  if (text.starts_with("*:")) return complaint{what, fmt::format("write `0.0.0.0{}`", text.substr(1))};
  if (text.starts_with('/')) return complaint{what, fmt::format("write `unix:{}`", text)};
  if (text.find("://") != std::string_view::npos) {
    return complaint{what, fmt::format("write `{}`", text.substr(text.find("://") + 3))};
  }
  if (is_ipv6(text)) return complaint{what, fmt::format("write `[{}]:8080`", text)};
  if (is_host_name(text)) return complaint{what, fmt::format("write `{}:8080`", text)};
  return complaint{what};
}

}  // namespace

bool is_host_name(std::string_view text) noexcept {
  if (text.empty() || text.size() > 253 || text.front() == '.' || text.front() == '-') return false;
  bool const plain =
      std::all_of(text.begin(), text.end(), [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
  return plain && text.find("..") == std::string_view::npos && (!ends_in_number(text) || is_ipv4(text));
}

bool is_ipv6(std::string_view text) {
  in6_addr address{};
  auto const zone = text.find('%');
  if (zone != std::string_view::npos) {
    auto const name = text.substr(zone + 1);
    if (name.empty() || !std::all_of(name.begin(), name.end(), is_alnum)) return false;
  }
  return inet_pton(AF_INET6, std::string{text.substr(0, zone)}.c_str(), &address) == 1;
}

std::optional<std::uint16_t> port_number(std::string_view text) noexcept {
  if (!all_digits(text) || text.size() > 5) return std::nullopt;
  std::uint16_t port = 0;
  auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

parsed<endpoint> parse_unix_path(std::string_view path) {
  if (!path.starts_with('/')) return complaint{"the path of a unix socket is absolute", "write `unix:/...`"};
  // One byte of sun_path is for the terminator.
  constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() > longest) return complaint{fmt::format("a unix socket's path is at most {} bytes long", longest)};
  if (path.ends_with('/')) return complaint{"the path of a unix socket names a file, not a folder"};
  if (path.find('\0') != std::string_view::npos) return complaint{"a path cannot hold a NUL"};
  endpoint e;
  e.type = endpoint::kind::unix_socket;
  e.path = path;
  e.text = endpoint_text(e);
  return e;
}

parsed<endpoint> parse_listen(std::string_view text) {
  if (text.starts_with(unix_prefix)) return parse_unix_path(text.substr(sizeof unix_prefix - 1));
  auto const colon = text.rfind(':');
  if (colon == std::string_view::npos) return no_listen_address(text);
  auto host = text.substr(0, colon);
  bool const bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed ? !is_ipv6(host) : !is_host_name(host)) return no_listen_address(text);
  auto const port = port_number(text.substr(colon + 1));
  if (!port) return complaint{"a port is a number from 0 to 65535", {}, colon + 1};
  endpoint e;
  std::transform(host.begin(), host.end(), std::back_inserter(e.host), to_lower);
  e.port = *port;
  e.text = endpoint_text(e);
  return e;
}

parsed<cidr> parse_cidr(std::string_view text) {
  auto const slash = text.find('/');
  std::string const address{text.substr(0, slash)};
  cidr out;
  unsigned widest = 128;
  if (in_addr v4{}; inet_pton(AF_INET, address.c_str(), &v4) == 1) {
    widest = 32;
    out.bytes[10] = out.bytes[11] = 0xFF;
    auto const value = ntohl(v4.s_addr);
    for (unsigned i = 0; i < 4; ++i)
      out.bytes[12 + i] = static_cast<std::uint8_t>(value >> (24U - 8U * i));
  } else if (in6_addr v6{}; inet_pton(AF_INET6, address.c_str(), &v6) == 1) {
    std::copy(std::begin(v6.s6_addr), std::end(v6.s6_addr), out.bytes.begin());
  } else {
    return complaint{"not an address block", "for example `10.0.0.0/8` or `fd00::/8`"};
  }
  unsigned length = widest;
  if (slash != std::string_view::npos) {
    auto const digits = parse_integer(text.substr(slash + 1));
    auto const* given = std::get_if<std::int64_t>(&digits);
    if (!given || *given < 0 || *given > widest) {
      return complaint{fmt::format("the prefix length is a number from 0 to {}", widest), {}, slash + 1};
    }
    length = static_cast<unsigned>(*given);
  }
  out.prefix = 128 - widest + length;
  cidr network = out;
  for (unsigned bit = out.prefix; bit < 128; ++bit) {
    network.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  }
  // Somebody meant either one address or a whole block; believing the wrong one is a hole.
  if (network.bytes != out.bytes) {
    return complaint{"bits are set behind the prefix",
                     fmt::format("write `{}`, or the address alone", cidr_text(network))};
  }
  return out;
}

std::string cidr_text(cidr const& block) {
  static constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  bool const v4 = block.prefix >= 96 && std::equal(mapped.begin(), mapped.end(), block.bytes.begin());
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(v4 ? AF_INET : AF_INET6, block.bytes.data() + (v4 ? 12 : 0), text.data(), text.size());
  return fmt::format("{}/{}", text.data(), v4 ? block.prefix - 96 : block.prefix);
}

bool is_local(endpoint const& e) {
  if (e.type == endpoint::kind::unix_socket || e.host == "localhost") return true;
  if (in_addr v4{}; inet_pton(AF_INET, e.host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24U == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, e.host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string endpoint_text(endpoint const& e) {
  if (e.type == endpoint::kind::unix_socket) return unix_prefix + e.path;
  bool const v6 = e.host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", e.host, e.port) : fmt::format("{}:{}", e.host, e.port);
}

}  // namespace doorward::config
