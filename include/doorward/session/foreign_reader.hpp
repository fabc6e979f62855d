#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "doorward/base/time.hpp"
#include "doorward/config/model.hpp"
#include "doorward/redis/reply.hpp"
#include "doorward/session/likeness.hpp"
#include "doorward/session/record.hpp"

namespace doorward::session {

class document_walk;

/// The command that reads a session: HGETALL, GET or JSON.GET.
[[nodiscard]] std::string_view command_for(config::session_encoding e) noexcept;

/// True for what doorward itself writes. Everything else is read, and never written but deleted: there is no index, no
/// touch, no mark where a session was.
[[nodiscard]] constexpr bool is_own(config::session_encoding e) noexcept {
  return e == config::session_encoding::hash;
}

/// Reads sessions that other programs wrote (docs/foreign-sessions.md). Strict: whatever could be read in two ways is
/// not read. No object of any language is ever built. Keeps what it needs for the next one.
class foreign_reader {
public:
  /// Of an encoding that is not our own.
  explicit foreign_reader(config::session_encoding e);
  ~foreign_reader();

  /// Reads a reply to command_for() into `into`, which must have its layout. Anything but `found` leaves it empty.
  [[nodiscard]] outcome read(redis::reply const& reply, record& into, epoch_ms now);

  /// What the last record looked like, where it could not be read.
  [[nodiscard]] likeness looks_like() const noexcept { return looks_like_; }

  /// When the last record is over though it is still in Redis; nothing where Redis alone says.
  [[nodiscard]] std::optional<epoch_ms> ends() const noexcept { return ends_; }

private:
  outcome read_fields(redis::reply const& reply, record& into, epoch_ms now);

  config::session_encoding encoding_;
  likeness looks_like_ = likeness::nothing;
  std::optional<epoch_ms> ends_;
  std::unique_ptr<document_walk> walk_;
};

}  // namespace doorward::session
