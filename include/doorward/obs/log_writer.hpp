#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "doorward/base/time.hpp"

namespace doorward::obs {

/// Writes whole buffers of lines to a descriptor on a thread of its own, so that a slow reader of the log never holds
/// up a request. What does not fit the backlog, or cannot be written, is dropped and counted. Lines of different
/// workers do not mix, and in a pipe lines stay whole beside other writers (a write never splits one that fits
/// PIPE_BUF).
class log_writer {
public:
  static constexpr std::size_t backlog = 16 * 1024 * 1024;  ///< bytes waiting to be written, at most
  static constexpr milliseconds last_words{2'000};          ///< how long stop() goes on trying

  /// `fd` stays the caller's, and must stay open until stop() has returned.
  explicit log_writer(int fd, std::size_t most = backlog, milliseconds patience = last_words);
  log_writer(log_writer const&) = delete;
  log_writer& operator=(log_writer const&) = delete;
  ~log_writer() { stop(); }

  /// Takes the text out of `buffer` and leaves it empty, with the capacity of one written before. Any thread; the lock
  /// is held for a few instructions.
  void take(std::string& buffer);

  /// Writes what is left, for at most `patience`, and ends the thread. Idempotent; buffers taken later are dropped.
  void stop();

  /// Lines lost since the start. Any thread.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

private:
  void run();
  void write_out(std::string_view text);
  [[nodiscard]] bool wait_writable();
  [[nodiscard]] std::size_t piece(std::string_view text) const noexcept;
  void drop(std::string_view text) noexcept;

  enum class kind { file, pipe, socket };

  int const fd_;
  kind kind_;
  std::size_t const most_;
  milliseconds const patience_;
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<bool> stopping_{false};
  time_point give_up_{};  ///< written before stopping_
  bool torn_ = false;     ///< the last thing written was part of a line

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::string> waiting_;
  std::vector<std::string> empty_;  ///< capacity to hand out again
  std::size_t waiting_bytes_ = 0;   ///< including what the thread is writing
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace doorward::obs
