#include "doorward/net/proxy_header.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace doorward::net {
namespace {

using state = proxy_header::state;
using namespace std::string_view_literals;

constexpr auto signature_1 = "PROXY "sv;
constexpr auto signature_2 = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t longest_line = 107;  // of version 1, with its end

std::array<std::uint8_t, 16> mapped(std::uint8_t const* v4) noexcept {
  std::array<std::uint8_t, 16> address{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::copy_n(v4, 4, address.begin() + 12);
  return address;
}

// Cuts the next word off the line; words are parted by one blank.
std::string_view next_word(std::string_view& line) noexcept {
  auto const word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), word.size() + 1));
  return word;
}

bool is_port(std::string_view word) noexcept {
  std::uint16_t port = 0;
  auto const [end, ec] = std::from_chars(word.data(), word.data() + word.size(), port);
  return !word.empty() && ec == std::errc{} && end == word.data() + word.size();
}

bool parse_address(int family, std::string_view word, std::array<std::uint8_t, 16>& out) noexcept {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (word.size() >= text.size()) return false;
  std::copy(word.begin(), word.end(), text.begin());
  if (family == AF_INET6) return ::inet_pton(AF_INET6, text.data(), out.data()) == 1;
  std::array<std::uint8_t, 4> v4{};
  if (::inet_pton(AF_INET, text.data(), v4.data()) != 1) return false;
  out = mapped(v4.data());
  return true;
}

proxy_header read_line(std::string_view bytes) noexcept {
  auto const end = bytes.substr(0, longest_line).find("\r\n");
  if (end == bytes.npos) return {bytes.size() < longest_line ? state::incomplete : state::malformed};
  proxy_header h{state::complete, end + 2};
  auto line = bytes.substr(signature_1.size(), end - signature_1.size());
  auto const protocol = next_word(line);
  if (protocol == "UNKNOWN") {  // whatever stands behind it is not to be looked at
    h.unknown = true;
    return h;
  }
  auto const family = protocol == "TCP4" ? AF_INET : protocol == "TCP6" ? AF_INET6 : AF_UNSPEC;
  std::array<std::uint8_t, 16> destination{};
  bool const sound = family != AF_UNSPEC && parse_address(family, next_word(line), h.source) &&
                     parse_address(family, next_word(line), destination) && is_port(next_word(line)) && is_port(line);
  return sound ? h : proxy_header{state::malformed};
}

proxy_header read_binary(std::string_view bytes) noexcept {
  constexpr std::size_t fixed = 16;
  if (bytes.size() < fixed) return {};
  auto const* const at = reinterpret_cast<std::uint8_t const*>(bytes.data());
  auto const version = at[12] >> 4;
  auto const command = at[12] & 15;
  auto const family = at[13] >> 4;
  auto const transport = at[13] & 15;
  std::size_t const length = static_cast<std::size_t>(at[14]) << 8 | at[15];
  if (version != 2 || command > 1 || fixed + length > longest_proxy_header) return {state::malformed};
  if (bytes.size() < fixed + length) return {};

  proxy_header h{state::complete, fixed + length};
  h.local = command == 0;
  h.unknown = !h.local && family == 0;
  if (h.local || h.unknown) return h;
  constexpr int stream = 1;
  if (transport != stream) return {state::malformed};
  if (family == 1 && length >= 12) {
    h.source = mapped(at + fixed);
  } else if (family == 2 && length >= 36) {
    std::copy_n(at + fixed, h.source.size(), h.source.begin());
  } else if (family == 3 && length >= 216) {
    h.unknown = true;  // two unix sockets: nobody's address
  } else {
    return {state::malformed};
  }
  return h;
}

}  // namespace

proxy_header read_proxy_header(std::string_view bytes) noexcept {
  auto const begins_like = [&](std::string_view signature) {
    return signature.starts_with(bytes.substr(0, signature.size()));
  };
  if (begins_like(signature_1)) return bytes.size() < signature_1.size() ? proxy_header{} : read_line(bytes);
  if (begins_like(signature_2)) return bytes.size() < signature_2.size() ? proxy_header{} : read_binary(bytes);
  return {state::malformed};
}

}  // namespace doorward::net
