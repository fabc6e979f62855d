#include "doorward/base/deadline_wheel.hpp"

#include <algorithm>

namespace doorward {

deadline_wheel::deadline_wheel(time_point now) noexcept : now_(now), swept_(now) {}

void deadline_wheel::link(deadline_entry& entry) noexcept {
  // At least one tick ahead, so that an entry that is due already fires on the next advance; at most one turn ahead,
  // so that a far deadline waits in the last slot and is linked again from there.
  auto ticks = (entry.at_ - swept_ + tick - time_point::duration{1}) / tick;
  ticks = std::clamp<decltype(ticks)>(ticks, 1, slots - 1);
  entry.slot_end_ = swept_ + ticks * tick;
  auto const index = static_cast<std::size_t>(entry.slot_end_.time_since_epoch() / tick) % slots;
  wheel_[index].push_back(entry);
}

void deadline_wheel::arm(deadline_entry& entry, time_point at) noexcept {
  entry.at_ = at;
  if (entry.is_linked()) {
    if (entry.slot_end_ <= at) return;  // looked at early, and moved then
    entry.unlink();
  }
  link(entry);
}

void deadline_wheel::advance(time_point now) noexcept {
  now_ = std::max(now_, now);
  while (swept_ + tick <= now_) {
    swept_ += tick;
    auto const index = static_cast<std::size_t>(swept_.time_since_epoch() / tick) % slots;
    list due;
    due.swap(wheel_[index]);
    while (!due.empty()) {
      auto& entry = due.front();
      entry.unlink();
      if (entry.at_ == time_point::max()) continue;
      if (entry.at_ > now_) {
        link(entry);
        continue;
      }
      entry.at_ = time_point::max();
      entry.on_deadline();
    }
  }
}

}  // namespace doorward
