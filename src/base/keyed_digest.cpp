#include "doorward/base/keyed_digest.hpp"

#include <algorithm>

#include "doorward/base/random.hpp"

namespace doorward {
namespace {

hmac_sha256 under_new_key() {
  std::array<unsigned char, 32> key{};
  secure_random(key);
  return hmac_sha256({reinterpret_cast<char const*>(key.data()), key.size()});
}

}  // namespace

keyed_digest::keyed_digest() : hmac_(under_new_key()) {}

keyed_digest::value keyed_digest::operator()(std::string_view text) const noexcept {
  auto const whole = hmac_({text});
  value v;
  std::copy_n(whole.begin(), v.size(), v.begin());
  return v;
}

}  // namespace doorward
