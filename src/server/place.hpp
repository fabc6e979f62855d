#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace doorward::server {

/// A client's place among all connections and among those of its listener, over all workers. Given back when destroyed.
/// Relaxed: the counts bound memory, and order nothing.
class place {
public:
  place(std::atomic<std::size_t>& all, std::atomic<std::size_t>& listener) noexcept
      : all_(&all),
        listener_(&listener),
        of_all_(all.fetch_add(1, std::memory_order_relaxed) + 1),
        of_listener_(listener.fetch_add(1, std::memory_order_relaxed) + 1) {}
  place(place&& other) noexcept
      : all_(std::exchange(other.all_, nullptr)),
        listener_(other.listener_),
        of_all_(other.of_all_),
        of_listener_(other.of_listener_) {}
  place& operator=(place&&) = delete;
  ~place() {
    if (all_ == nullptr) return;
    all_->fetch_sub(1, std::memory_order_relaxed);
    listener_->fetch_sub(1, std::memory_order_relaxed);
  }

  /// How many there were when it was taken, itself included.
  [[nodiscard]] std::size_t of_all() const noexcept { return of_all_; }
  [[nodiscard]] std::size_t of_listener() const noexcept { return of_listener_; }

private:
  std::atomic<std::size_t>* all_;  // null once it has been moved from
  std::atomic<std::size_t>* listener_;
  std::size_t of_all_;
  std::size_t of_listener_;
};

}  // namespace doorward::server
