#include "session/near_lookups.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

namespace doorward::session {

near_lookups::near_lookups(std::shared_ptr<near_cache> cache)
    : cache_(std::move(cache)),
      found_(std::bit_ceil(std::clamp(std::min(cache_->most(), most_found) * 4, fewest_found, most_found))) {}

bool near_lookups::answer(lookup& l, std::string_view key) {
  if (l.fresh() || !cache_->get(key, l.into(), steady::now())) return false;
  l.finish(outcome::found, {}, answered_by::cache);
  return true;
}

near_lookups::unsent& near_lookups::place_of(std::string_view id) noexcept {
  return unsent_[std::hash<std::string_view>{}(id) % places];
}

bool near_lookups::join(lookup& l, std::uint64_t batch) noexcept {
  auto const& u = place_of(l.id());
  if (u.leader == nullptr || u.batch != batch || u.leader->id() != l.id()) return false;
  if (u.leader->into().layout() != l.into().layout()) return false;
  l.join(*u.leader);
  return true;
}

bool near_lookups::keeps(std::string_view key) const noexcept {
  if (!cache_->armed()) return false;
  auto const hash = cache_->hash(key);
  return found_[hash & (found_.size() - 1)] == mark_of(hash);
}

void near_lookups::asked(lookup& l, std::string_view key, std::uint64_t batch, bool keeps) noexcept {
  if (keeps) l.fill() = cache_->begin(key, steady::now());
  place_of(l.id()) = {&l, batch};
}

void near_lookups::landed(lookup& l, std::string_view key, outcome o, bool tracked,
                          std::optional<epoch_ms> ends) noexcept {
  auto const hash = cache_->hash(key);
  auto& place = found_at(hash);
  if (o == outcome::found)
    place = mark_of(hash);
  else if (place == mark_of(hash))
    place = 0;
  if (!l.fill()) return;
  if (!tracked)
    cache_->refused();
  else if (o == outcome::found)
    cache_->land(l.fill(), key, l.into(), steady::now(), wall_now(), ends);
}

}  // namespace doorward::session
