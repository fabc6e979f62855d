#include <fmt/format.h>

#include "config/sections.hpp"

namespace doorward::config {
namespace {

// A rotation needs two, or three where it is done in a hurry. Each is one more that a thief may have.
constexpr std::size_t most_keys = 8;

// Of a key that doorward signs with. An application's secret is as long as it is; nobody would take what stands where
// a key is not shown.
constexpr std::size_t shortest_key = 32;
constexpr std::string_view not_shown = "<redacted";

}  // namespace

void checker::check_cookie_keys() {
  auto const& keys = doc_.session.cookie.keys;
  std::string const base = "session.cookie.keys";
  if (keys.size() > most_keys && seen_.sound(base))
    return error(join(base, most_keys), fmt::format("at most {} keys", most_keys), "leave the oldest out");
  bool const is_ours = doc_.session.cookie.codec == cookie_codec::plain;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto const length = keys[i].reveal().size();
    auto const* const place = seen_.find(join(base, i));
    bool const external = place != nullptr && place->external;
    if (seen_.sound(join(base, i)) && length < (is_ours ? shortest_key : 1)) {
      error(join(base, i),
            fmt::format("a key has at least {}{}", is_ours ? "32 characters" : "one character",
                        external ? " (as interpolated)" : ""),
            external || !is_ours ? "" : "make one by `openssl rand -base64 32`");
      continue;
    }
    if (!is_ours && keys[i].reveal().starts_with(not_shown)) {
      error(join(base, i), "this stands where a key is not shown, and is none");
      continue;
    }
    for (std::size_t k = 0; k < i; ++k) {
      if (!(keys[i] == keys[k]) || !sound(join(base, i), join(base, k))) continue;
      error(join(base, i), "the same key twice", "the first signs, and all are believed: leave this one out");
      break;
    }
  }
}

}  // namespace doorward::config
