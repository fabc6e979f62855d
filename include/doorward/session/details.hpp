#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "doorward/base/result.hpp"
#include "doorward/config/model.hpp"
#include "doorward/net/task.hpp"
#include "doorward/redis/client.hpp"
#include "doorward/session/record.hpp"
#include "doorward/session/store.hpp"

namespace doorward::session {

/// Everything that Redis has at a session's key, for an operator.
struct details {
  outcome what = outcome::absent;          ///< `found`, or why it is no session (any more); never `unavailable`
  std::string user;                        ///< this and what follows: of a session that was found, or has expired
  listed_session summary;                  ///< its key is never shown
  std::optional<epoch_ms> absolute_until;  ///< when it ends whatever its user does
  std::vector<std::pair<std::string, std::string>> fields;  ///< of the hash, in Redis's order
};

/// Two commands, HGETALL and PTTL. Errors are those of redis::waiter. `redis` and `config` must outlive the task.
[[nodiscard]] net::task<result<details>> read_details(redis::client& redis, config::session_config const& config,
                                                      std::string key);

}  // namespace doorward::session
