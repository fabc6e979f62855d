#include "doorward/net/proxy_header.hpp"

#include <string>

#include "catch.hpp"

using namespace doorward::net;
using namespace std::string_literals;
using state = proxy_header::state;

namespace {

using address = std::array<std::uint8_t, 16>;

address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
}

// Version 2: command and family with transport, then the length and what it counts.
std::string binary(char command, char family, std::string const& rest) {
  return "\r\n\r\n\0\r\nQUIT\n"s + command + family + static_cast<char>(rest.size() >> 8) +
         static_cast<char>(rest.size() & 255) + rest;
}

std::string const two_v4 = "\xc0\x00\x02\x01\x7f\x00\x00\x01\x12\x34\x00\x50"s;
std::string const two_v6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + '\x07' + std::string(20, '\1');

struct header_row {
  std::string bytes;
  state outcome;
  bool local = false;
  address source{};
  bool unknown = false;
};

// Also that what stands behind a header is no part of it.
void check_row(header_row const& r) {
  CAPTURE(r.bytes);
  auto const h = read_proxy_header(r.bytes);
  CHECK(h.outcome == r.outcome);
  if (r.outcome != state::complete) return;
  CHECK(h.local == r.local);
  CHECK(h.unknown == r.unknown);
  CHECK(h.source == r.source);
  CHECK(h.size == r.bytes.size());
  CHECK(read_proxy_header(r.bytes + "GET / HTTP/1.1\r\n").size == r.bytes.size());
}

}  // namespace

TEST_CASE("version 1") {
  auto const r = GENERATE(values<header_row>({
      {"PROXY TCP4 192.0.2.1 127.0.0.1 4660 80\r\n", state::complete, false, v4(192, 0, 2, 1)},
      {"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", state::complete, false, v4(192, 0, 2, 1)},
      {"PROXY UNKNOWN\r\n", state::complete, false, {}, true},
      {"PROXY UNKNOWN whatever stands here\r\n", state::complete, false, {}, true},
      {"PROXY TCP4 192.0.2.1 127.0.0.1 4660 80\n", state::incomplete},
      {"PROXY", state::incomplete},
      {"", state::incomplete},
      {"GET / HTTP/1.1\r\n", state::malformed},
      {"PROXY\tTCP4 192.0.2.1 127.0.0.1 1 2\r\n", state::malformed},
      {"PROXY TCP4 192.0.2.1 127.0.0.1 1\r\n", state::malformed},
      {"PROXY TCP4 192.0.2.1 127.0.0.1 1 2 3\r\n", state::malformed},
      {"PROXY TCP4  192.0.2.1 127.0.0.1 1 2\r\n", state::malformed},
      {"PROXY TCP4 192.0.2.256 127.0.0.1 1 2\r\n", state::malformed},
      {"PROXY TCP4 192.0.2.1 127.0.0.1 1 65536\r\n", state::malformed},
      {"PROXY TCP4 192.0.2.1 127.0.0.1 +1 2\r\n", state::malformed},
      {"PROXY TCP4 ::1 ::1 1 2\r\n", state::malformed},
      {"PROXY UDP4 192.0.2.1 127.0.0.1 1 2\r\n", state::malformed},
      {"PROXY " + std::string(101, 'x'), state::malformed},
  }));
  check_row(r);
}

TEST_CASE("version 2") {
  auto const v6 = address{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
  auto const r = GENERATE_COPY(values<header_row>({
      {binary('\x21', '\x11', two_v4), state::complete, false, v4(192, 0, 2, 1)},
      {binary('\x21', '\x11', two_v4 + "\x04\x00\x01x"s), state::complete, false, v4(192, 0, 2, 1)},
      {binary('\x21', '\x21', two_v6), state::complete, false, v6},
      {binary('\x20', '\x00', ""), state::complete, true},
      {binary('\x20', '\x11', two_v4), state::complete, true},
      {binary('\x21', '\x00', "anything"), state::complete, false, {}, true},
      {binary('\x21', '\x31', std::string(216, '/')), state::complete, false, {}, true},
      {binary('\x21', '\x11', "short"), state::malformed},
      {binary('\x21', '\x21', two_v4), state::malformed},
      {binary('\x21', '\x12', two_v4), state::malformed},  // UDP
      {binary('\x21', '\x41', two_v6), state::malformed},
      {binary('\x11', '\x11', two_v4), state::malformed},  // version 1
      {binary('\x22', '\x11', two_v4), state::malformed},  // no such command
      {binary('\x21', '\x11', std::string(longest_proxy_header, 'x')), state::malformed},
  }));
  check_row(r);
}

TEST_CASE("byte by byte, it is incomplete until it is complete") {
  auto const whole =
      GENERATE(as<std::string>{}, "PROXY TCP4 192.0.2.1 127.0.0.1 4660 80\r\n", binary('\x21', '\x11', two_v4));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    CAPTURE(n);
    CHECK(read_proxy_header(std::string_view(whole).substr(0, n)).outcome == state::incomplete);
  }
  CHECK(read_proxy_header(whole).outcome == state::complete);
}
