#pragma once

#include <optional>
#include <span>
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
  /// Of the hash, in Redis's order. Of another program's record those that the configuration speaks of, in its order.
  std::vector<std::pair<std::string, std::string>> fields;
};

/// Two commands, the one that reads a session and PTTL. `custom`: fields of another program's record to be read beside
/// those of `config`. Errors are those of redis::waiter. Whatever is passed by reference must outlive the task.
[[nodiscard]] net::task<result<details>> read_details(redis::client& redis, config::session_config const& config,
                                                      std::string key, std::span<std::string const> custom = {});

}  // namespace doorward::session
