#include "doorward/auth/failed_logins.hpp"

#include <algorithm>

namespace doorward::auth {
namespace {

// How many of the oldest are looked at when another may come.
constexpr int looks = 64;

milliseconds rounded_up(time_point::duration d) noexcept {
  return std::chrono::ceil<milliseconds>(d);
}

}  // namespace

milliseconds failed_logins::banned_for(key const& who, time_point now) {
  if (!on()) return {};
  std::lock_guard const hold(lock_);
  auto const at = find_.find(who);
  if (at == find_.end() || at->second->ban_end <= now) return {};
  return rounded_up(at->second->ban_end - now);
}

milliseconds failed_logins::count(key const& who, time_point now) {
  if (!on()) return {};
  std::lock_guard const hold(lock_);
  auto& e = find_or_add(who, now);
  if (e.ban_end > now) return {};  // it was on its way when the ban began
  if (e.window_end <= now) {
    e.failures = 0;
    e.window_end = now + rules_.window;
  }
  ++e.failures;
  e.forgotten_at = std::max(e.forgotten_at, e.window_end);
  if (e.failures < rules_.failures) return {};
  auto const ban = length_of(++e.bans);
  e.failures = 0;
  e.ban_end = now + ban;
  e.forgotten_at = e.ban_end + std::max(ban, rules_.window);
  e.window_end = e.ban_end;
  return ban;
}

void failed_logins::forget(key const& who) {
  if (!on()) return;
  std::lock_guard const hold(lock_);
  if (auto const at = find_.find(who); at != find_.end()) drop(at->second);
}

std::size_t failed_logins::size() {
  std::lock_guard const hold(lock_);
  return find_.size();
}

failed_logins::entry& failed_logins::find_or_add(key const& who, time_point now) {
  make_room(now);
  if (auto const at = find_.find(who); at != find_.end()) {
    by_age_.splice(by_age_.end(), by_age_, at->second);
    auto& e = *at->second;
    if (e.forgotten_at <= now) e = entry{.who = who};
    return e;
  }
  auto& e = by_age_.emplace_back(entry{.who = who});
  find_.emplace(who, std::prev(by_age_.end()));
  return e;
}

void failed_logins::drop(entries::iterator at) {
  find_.erase(at->who);
  by_age_.erase(at);
}

// Of the oldest, those that are forgotten go. When all places are taken one more goes: the oldest that is not banned;
// banned ones that stand in its way begin anew in age.
void failed_logins::make_room(time_point now) {
  bool const full = find_.size() >= most_;
  bool made = !full;
  auto at = by_age_.begin();
  for (int left = looks; left > 0 && at != by_age_.end(); --left) {
    auto const one = at++;
    bool const stays = full && one->ban_end > now;
    if (one->forgotten_at <= now || (!made && !stays)) {
      drop(one);
      made = true;
    } else if (stays) {
      by_age_.splice(by_age_.end(), by_age_, one);
    }
  }
  if (!made && !by_age_.empty()) drop(by_age_.begin());
}

milliseconds failed_logins::length_of(unsigned ban) const noexcept {
  auto const most = std::max(longest_ban, rules_.ban);
  auto length = rules_.ban;
  for (; ban > 1 && length < most; --ban)
    length *= 2;
  return std::min(length, most);
}

}  // namespace doorward::auth
