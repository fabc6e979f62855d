#pragma once

namespace doorward::net {

/// Guesses, from how it went lately, whether something to read is there before anybody has waited for it. A failed
/// attempt costs a system call; waiting for what is there already costs one too (Asio's epoll_ctl). So one tries first
/// where that finds something more often than not: on a busy worker, but not on one that keeps up easily.
///
/// Attempts bring each other luck: while many are made, the turns of the loop are long, and much has come by the next.
/// That is why it is tried again in whole runs of attempts, and not by one now and then.
class read_guess {
public:
  static constexpr unsigned run = 256;    ///< attempts that are judged together
  static constexpr unsigned rest = 4096;  ///< occasions passed over after a run in which most found nothing

  /// Whether to try before waiting.
  [[nodiscard]] bool try_first() noexcept {
    if (resting_ == 0) return true;
    --resting_;
    return false;
  }
  /// What came of an attempt that try_first() asked for.
  void found(bool something) noexcept {
    found_ += something ? 1U : 0U;
    if (++made_ < run) return;
    if (2 * found_ < made_) resting_ = rest;
    made_ = found_ = 0;
  }

private:
  unsigned made_ = 0;
  unsigned found_ = 0;
  unsigned resting_ = 0;
};

}  // namespace doorward::net
