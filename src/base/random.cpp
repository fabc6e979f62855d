#include "doorward/base/random.hpp"

#include <openssl/rand.h>

#include <bit>
#include <cstring>
#include <stdexcept>

#include "doorward/base/encoding.hpp"

namespace doorward {

void secure_random(std::span<unsigned char> out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) throw std::runtime_error("no secure random source");
}

std::string new_session_id() {
  std::array<unsigned char, 32> bytes;
  secure_random(bytes);
  return base64url(bytes);
}

fast_random::fast_random() {
  std::array<unsigned char, sizeof(state_)> bytes;
  secure_random(bytes);
  std::memcpy(state_.data(), bytes.data(), bytes.size());
  state_[0] |= 1;  // the all-zero state would stay zero
}

fast_random::fast_random(std::uint64_t seed) noexcept {
  // splitmix64, as the authors of xoshiro recommend for seeding
  for (auto& s : state_) {
    seed += 0x9e3779b97f4a7c15;
    auto z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    s = z ^ (z >> 31);
  }
}

std::uint64_t fast_random::operator()() noexcept {
  auto& s = state_;
  auto const value = std::rotl(s[0] + s[3], 23) + s[0];
  auto const t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = std::rotl(s[3], 45);
  return value;
}

}  // namespace doorward
