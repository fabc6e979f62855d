#include "session/near_lookups.hpp"

#include <functional>

namespace doorward::session {

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

void near_lookups::asked(lookup& l, std::string_view key, std::uint64_t batch) noexcept {
  l.fill() = cache_->begin(key, steady::now());
  place_of(l.id()) = {&l, batch};
}

void near_lookups::landed(lookup& l, std::string_view key, std::optional<epoch_ms> ends) noexcept {
  cache_->land(l.fill(), key, l.into(), steady::now(), wall_now(), ends);
}

}  // namespace doorward::session
