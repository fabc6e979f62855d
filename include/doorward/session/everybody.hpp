#pragma once

#include <cstdint>
#include <string>

#include "doorward/base/result.hpp"
#include "doorward/config/model.hpp"
#include "doorward/net/task.hpp"
#include "doorward/redis/client.hpp"

namespace doorward::session {

/// One step of a walk over all keys.
struct swept {
  bool refused = false;     ///< Redis does not let this ACL user SCAN: nothing was looked at
  std::uint64_t ended = 0;  ///< sessions, in this step
  std::string next;         ///< the cursor of the step that follows; "0" = the walk is over
};

/// Ends the sessions among some hundred keys, whosever they are, and refuses logins of their users that are under way,
/// as a log-out everywhere does; one atomic step of Redis, a few milliseconds. A walk begins with the cursor "0" and
/// ends where it comes back. Whatever session was there when a walk began has ended when it is over: SCAN promises to
/// come by every key that is there all the time. Errors are those of redis::waiter; what earlier steps did is done.
///
/// For an operator: the ACL user of a gateway has no SCAN. `redis` must outlive the task.
[[nodiscard]] net::task<result<swept>> end_some(redis::client& redis, config::session_config const& config,
                                                std::string cursor);

}  // namespace doorward::session
