#pragma once

#include <optional>

#include "doorward/base/time.hpp"
#include "doorward/config/model.hpp"
#include "doorward/session/record.hpp"

namespace doorward::session {

/// When the session ends whatever its user does: its own limit (doorward.absoluteUntil) if it has one, else its
/// creation plus the configured lifetime. Nothing when it has neither; the first touch then gives it a limit
/// (docs/redis.md).
[[nodiscard]] std::optional<epoch_ms> absolute_end(record const& r, config::session_lifetime const& lifetime) noexcept;

/// The absolute limit has passed at `now`. A limit of its own that cannot be read counts as passed.
[[nodiscard]] bool past_absolute(record const& r, config::session_lifetime const& lifetime, epoch_ms now) noexcept;

/// When Redis lets go of the session if nobody comes: when it was last seen, plus its own idle time (doorward.idle) or
/// the configured one. Nothing when that cannot be told.
[[nodiscard]] std::optional<epoch_ms> idle_end(record const& r, config::session_lifetime const& lifetime) noexcept;

/// The session was last seen `touch_every` ago or longer, or one cannot tell.
[[nodiscard]] bool needs_touch(record const& r, config::session_lifetime const& lifetime, epoch_ms now) noexcept;

}  // namespace doorward::session
