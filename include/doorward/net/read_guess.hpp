#pragma once

namespace doorward::net {

/// Guesses, from how it went lately, whether something to read is there before anybody has waited for it. A failed
/// attempt costs a system call; waiting for what is there already costs one too (Asio's epoll_ctl). So one tries first
/// where that finds something more often than not: on a busy worker, but not on one that keeps up easily.
class read_guess {
public:
  /// Whether to try before waiting. Now and then also where it is not believed to help, to learn.
  [[nodiscard]] bool try_first() noexcept { return belief_ > even || ++passed_over_ % explore_every == 0; }
  /// What came of an attempt that try_first() asked for.
  void found(bool something) noexcept { belief_ += ((something ? certain : 0) - belief_) / memory; }

private:
  static constexpr int certain = 1 << 16;
  static constexpr int even = certain / 2;
  static constexpr int memory = 16;  // attempts
  static constexpr unsigned explore_every = 16;

  int belief_ = certain;
  unsigned passed_over_ = 0;
};

}  // namespace doorward::net
