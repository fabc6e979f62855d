#include "doorward/session/near_cache.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "doorward/session/lifetime.hpp"

namespace doorward::session {

near_cache::near_cache(std::size_t entries, milliseconds max_age, config::session_lifetime const& lifetime)
    : most_(std::max<std::size_t>(entries, 1)), max_age_(max_age), lifetime_(lifetime) {}

void near_cache::arm(news* from) noexcept {
  clear();
  news_ = from;
  armed_ = true;
}

void near_cache::disarm() noexcept {
  clear();
  news_ = nullptr;
  armed_ = false;
}

bool near_cache::get(std::string_view key, record& into, time_point now) {
  if (!armed_) return false;
  auto at = entries_.find(key);
  if (at == entries_.end() || at->second.until <= now) return false;
  if (news_ != nullptr) {
    auto const before = changes_;
    news_->take();
    if (changes_ != before) {
      if (at = entries_.find(key); at == entries_.end()) return false;
    }
  }
  auto& e = at->second;
  if (e.copy.layout() != into.layout()) return false;
  into = e.copy;
  recent_.splice(recent_.begin(), recent_, recent_.iterator_to(e));
  return true;
}

near_cache::fill near_cache::begin(std::string_view key, time_point now) const noexcept {
  fill f;
  if (!armed_) return f;
  f.place_ = place_of(key);
  f.stamp_ = stamp_of(f.place_);
  f.began_ = now;
  return f;
}

void near_cache::land(fill const& f, std::string_view key, record const& r, time_point now, epoch_ms wall,
                      std::optional<epoch_ms> ends) noexcept {
  if (!f || f.stamp_ != stamp_of(f.place_)) return;
  if (key.size() > most_bytes || r.bytes() > most_bytes) return;
  auto const until = good_until(f, r, now, wall, ends);
  if (until <= now) return;
  try {
    // Two out for one in: what nobody comes for any more goes as fast as others come.
    drop_old(now, 2);
    keep(key, r, until);
  } catch (std::exception const&) {
    clear();  // no memory; one of them may be half a copy
  }
}

time_point near_cache::good_until(fill const& f, record const& r, time_point now, epoch_ms wall,
                                  std::optional<epoch_ms> ends) const noexcept {
  auto until = f.began_ + max_age_;
  // Redis says nothing when a TTL passes, but when it removes the key, and that may be much later.
  for (auto const end : {idle_end(r, lifetime_), absolute_end(r, lifetime_), ends}) {
    if (!end) continue;
    auto const left = *end > wall ? *end - wall : 0;
    if (left < max_age_.count()) until = std::min(until, now + milliseconds{left});
  }
  return until;
}

void near_cache::keep(std::string_view key, record const& r, time_point until) {
  auto& e = place_for(key);
  e.copy = r;
  e.until = until;
}

near_cache::entry& near_cache::place_for(std::string_view key) {
  if (auto const at = entries_.find(key); at != entries_.end()) {
    auto& e = at->second;
    recent_.splice(recent_.begin(), recent_, recent_.iterator_to(e));
    return e;
  }
  if (entries_.size() < most_) {
    auto const at = entries_.try_emplace(std::string(key)).first;
    at->second.key = &at->first;
    recent_.push_front(at->second);
    return at->second;
  }
  // Full: the one that was not used for longest hands over what it has, memory and all.
  auto& last = recent_.back();
  recent_.pop_back();
  auto node = entries_.extract(entries_.find(*last.key));
  node.key().assign(key);
  auto const at = entries_.insert(std::move(node)).position;
  recent_.push_front(at->second);
  return at->second;
}

void near_cache::refused() noexcept {
  auto* const from = news_;
  disarm();
  if (from != nullptr) from->refused();
}

void near_cache::invalidate(std::string_view key) noexcept {
  ++changes_;
  ++changed_[place_of(key)];
  auto const at = entries_.find(key);
  if (at == entries_.end()) return;
  recent_.erase(recent_.iterator_to(at->second));
  entries_.erase(at);
}

void near_cache::clear() noexcept {
  ++changes_;
  ++epoch_;
  recent_.clear();
  entries_.clear();
}

void near_cache::drop_old(time_point now, std::size_t most) noexcept {
  for (; most > 0 && !recent_.empty() && recent_.back().until <= now; --most) {
    auto const at = entries_.find(*recent_.back().key);
    recent_.pop_back();
    entries_.erase(at);
  }
}

}  // namespace doorward::session
