#include <fmt/format.h>

#include "config/sections.hpp"

namespace doorward::config {
namespace {

// A rotation needs two, or three where it is done in a hurry. Each is one more that a thief may have.
constexpr std::size_t most_keys = 8;

}  // namespace

void checker::check_cookie_keys() {
  auto const& keys = doc_.session.cookie.keys;
  std::string const base = "session.cookie.keys";
  if (keys.size() > most_keys && seen_.sound(base))
    return error(join(base, most_keys), fmt::format("at most {} keys", most_keys), "leave the oldest out");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (!(keys[i] == keys[k]) || !sound(join(base, i), join(base, k))) continue;
      error(join(base, i), "the same key twice", "the first signs, and all are believed: leave this one out");
      break;
    }
  }
}

}  // namespace doorward::config
