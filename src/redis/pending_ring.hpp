#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "doorward/base/time.hpp"

namespace doorward::redis {

class waiter;

/// A command on its way.
struct pending_command {
  /// The handshake's commands are in line with everybody else's. `consent` is about the one behind it.
  enum class role : std::uint8_t { user, trial, consent, auth, select, hello_ping, idle_ping };
  time_point deadline;
  waiter* who = nullptr;  ///< nullptr: nobody (any more); the reply is thrown away
  role what = role::user;
};

/// Commands in the order in which their replies must come. First in, first out, with a look at the middle: the commands
/// whose time is up are the ones at the front, in a row. Allocates only to grow.
class pending_ring {
public:
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] pending_command& front() noexcept { return (*this)[0]; }
  [[nodiscard]] pending_command& operator[](std::size_t i) noexcept {
    return slots_[(head_ + i) & (slots_.size() - 1)];
  }

  void push(pending_command const& c) {
    if (size_ == slots_.size()) grow();
    slots_[(head_ + size_++) & (slots_.size() - 1)] = c;
  }
  pending_command pop() noexcept {
    auto const c = front();
    head_ = (head_ + 1) & (slots_.size() - 1);
    --size_;
    if (overdue_ != 0) --overdue_;
    return c;
  }

  /// The oldest command whose time is not up; nullptr when there is none.
  [[nodiscard]] pending_command* oldest_in_time() noexcept { return overdue_ < size_ ? &(*this)[overdue_] : nullptr; }
  /// The one that oldest_in_time() gave is in time no longer.
  void mark_overdue() noexcept { ++overdue_; }

private:
  void grow() {
    std::vector<pending_command> larger(slots_.empty() ? 64 : 2 * slots_.size());
    for (std::size_t i = 0; i < size_; ++i)
      larger[i] = (*this)[i];
    slots_.swap(larger);
    head_ = 0;
  }

  std::vector<pending_command> slots_;  // its size is a power of two, or none
  std::size_t head_ = 0;
  std::size_t size_ = 0;
  std::size_t overdue_ = 0;
};

}  // namespace doorward::redis
