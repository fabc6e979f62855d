#include "doorward/base/text_hash.hpp"

#include <array>
#include <bit>
#include <cstddef>

#include "doorward/base/random.hpp"

namespace doorward {
namespace {

/// `count` bytes, at most 8, the first one lowest.
std::uint64_t little_endian(char const* from, std::size_t count) noexcept {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < count; ++i)
    word |= std::uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
  return word;
}

struct state {
  std::uint64_t a, b, c, d;

  void mix(int rounds) noexcept {
    for (; rounds > 0; --rounds) {
      a += b, b = std::rotl(b, 13) ^ a, a = std::rotl(a, 32);
      c += d, d = std::rotl(d, 16) ^ c;
      a += d, d = std::rotl(d, 21) ^ a;
      c += b, b = std::rotl(b, 17) ^ c, c = std::rotl(c, 32);
    }
  }
  void take(std::uint64_t word) noexcept {
    d ^= word;
    mix(2);
    a ^= word;
  }
};

}  // namespace

text_hash::text_hash() {
  std::array<unsigned char, 16> key{};
  secure_random(key);
  auto const* const bytes = reinterpret_cast<char const*>(key.data());
  k0_ = little_endian(bytes, 8);
  k1_ = little_endian(bytes + 8, 8);
}

std::uint64_t text_hash::operator()(std::string_view text) const noexcept {
  state s{k0_ ^ 0x736f6d6570736575, k1_ ^ 0x646f72616e646f6d, k0_ ^ 0x6c7967656e657261, k1_ ^ 0x7465646279746573};
  auto const length = std::uint64_t{text.size()};
  for (; text.size() >= 8; text.remove_prefix(8))
    s.take(little_endian(text.data(), 8));
  s.take(little_endian(text.data(), text.size()) | length << 56);
  s.c ^= 0xff;
  s.mix(4);
  return s.a ^ s.b ^ s.c ^ s.d;
}

}  // namespace doorward
