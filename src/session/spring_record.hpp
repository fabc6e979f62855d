#pragma once

#include <optional>

#include "doorward/base/time.hpp"
#include "doorward/redis/reply.hpp"
#include "doorward/session/likeness.hpp"
#include "doorward/session/record.hpp"

namespace doorward::session {

/// Reads a reply to HGETALL of Spring Session's hash into `into`, which is empty and has its layout. `now`: Spring
/// keeps the hash for five minutes after the session is over, so that is told by the times in it. A session that is
/// over is `absent`: to everybody else it is as if Redis had let it go. `ends`: when this one will be over, if nobody
/// comes; nothing for one that never is. May leave some fields behind where it is not `found`.
[[nodiscard]] outcome read_spring(redis::reply const& reply, record& into, epoch_ms now, likeness& looks,
                                  std::optional<epoch_ms>& ends);

}  // namespace doorward::session
