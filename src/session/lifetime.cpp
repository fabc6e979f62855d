#include "doorward/session/lifetime.hpp"

#include <charconv>
#include <limits>

namespace doorward::session {
namespace {

epoch_ms in_ms(config::seconds s) noexcept {
  return std::chrono::duration_cast<milliseconds>(s).count();
}

epoch_ms later(epoch_ms at, epoch_ms by) noexcept {
  return at > std::numeric_limits<epoch_ms>::max() - by ? std::numeric_limits<epoch_ms>::max() : at + by;
}

}  // namespace

std::optional<epoch_ms> absolute_end(record const& r, config::session_lifetime const& lifetime) noexcept {
  // A limit that is there and cannot be read has passed: nothing of ours writes such a thing, and no limit at all would
  // be the wrong guess.
  if (auto const* const layout = r.layout(); layout != nullptr && r.has(layout->at(field::absolute_until)))
    return parse_time(r.get(field::absolute_until)).value_or(0);
  auto const created = parse_time(r.get(field::created));
  if (!created) return std::nullopt;
  return later(*created, in_ms(lifetime.absolute));
}

bool past_absolute(record const& r, config::session_lifetime const& lifetime, epoch_ms now) noexcept {
  auto const end = absolute_end(r, lifetime);
  return end && now >= *end;
}

std::optional<epoch_ms> idle_end(record const& r, config::session_lifetime const& lifetime) noexcept {
  auto const seen = parse_time(r.get(field::last_seen));
  if (!seen) return std::nullopt;
  auto seconds = lifetime.idle.count();
  if (auto const own = r.get(field::idle); !own.empty()) {
    auto const [end, ec] = std::from_chars(own.data(), own.data() + own.size(), seconds);
    if (ec != std::errc{} || end != own.data() + own.size()) return std::nullopt;
  }
  constexpr std::int64_t for_ever = 1'000'000'000'000;  // seconds; more than any configuration takes
  if (seconds < 0 || seconds > for_ever || *seen > for_ever * 1000) return std::nullopt;
  return *seen + seconds * 1000;
}

bool needs_touch(record const& r, config::session_lifetime const& lifetime, epoch_ms now) noexcept {
  auto const seen = parse_time(r.get(field::last_seen));
  if (!seen) return true;
  // Redis writes the time, so its clock may be ahead of ours; far ahead, it is no time to go by.
  auto const every = in_ms(lifetime.touch_every);
  return now - *seen >= every || *seen - now >= every;
}

}  // namespace doorward::session
