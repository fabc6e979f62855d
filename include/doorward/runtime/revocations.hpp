#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>
#include <vector>

#include "doorward/obs/labels.hpp"

namespace doorward::runtime {

class live_sessions;

/// Carries the news that sessions have ended from whoever ended them to every worker that has a tunnel or an event
/// stream open with one. One a process, in shared_state. Workers come and go while none of them runs; everything else
/// may be called on any thread, and costs one look at a number when nothing is open.
///
/// Redis comes first: call these when the session has ended there.
class revocations {
public:
  revocations() = default;
  revocations(revocations const&) = delete;
  revocations& operator=(revocations const&) = delete;

  /// The session of this id has ended, and this is why.
  void of_session(std::string_view id, obs::stream_end why);

  /// Some or all sessions of this user have ended. Which, and why, each worker asks Redis about those it has.
  void of_user(std::string_view user);

private:
  friend class live_sessions;
  void join(live_sessions& w) { workers_.push_back(&w); }
  void leave(live_sessions& w) noexcept { std::erase(workers_, &w); }

  std::vector<live_sessions*> workers_;
  std::atomic<std::size_t> streams_{0};  ///< of all workers
};

}  // namespace doorward::runtime
