#include "doorward/obs/labels.hpp"

#include <array>

namespace doorward::obs {
namespace {

constexpr std::array<std::string_view, 7> outcomes{"forward", "respond", "redirect", "login", "logout", "own", "allow"};
constexpr std::array<std::string_view, lookup_results> lookups{
    "hit", "miss", "ghost", "malformed", "coalesced", "cached", "error", "elsewhere", "undecodable"};
constexpr std::array<std::string_view, end_reasons> ends{"logout",  "everywhere", "replaced",
                                                         "revoked", "displaced",  "expired"};
constexpr std::array<std::string_view, stream_ends> streams{
    "logout",          "session_replaced", "session_revoked", "session_displaced",
    "session_expired", "session_unknown",  "session_changed", "forbidden"};
constexpr std::array<std::string_view, touch_results> touches{"extended", "gone", "error"};
constexpr std::array<std::string_view, handshake_results> handshakes{"full", "resumed", "failed"};

constexpr std::array<std::string_view, shed_reasons> sheds{"queue_full", "queue_timeout"};
constexpr std::array<std::string_view, ban_kinds> bans{"address", "user"};

}  // namespace

std::string_view name(lookup_result r) noexcept {
  return lookups[static_cast<std::size_t>(r)];
}
std::string_view name(end_reason r) noexcept {
  return ends[static_cast<std::size_t>(r)];
}
std::string_view name(stream_end e) noexcept {
  return streams[static_cast<std::size_t>(e)];
}
std::string_view name(touch_result r) noexcept {
  return touches[static_cast<std::size_t>(r)];
}
std::string_view name(handshake_result r) noexcept {
  return handshakes[static_cast<std::size_t>(r)];
}

std::string_view name(shed_reason r) noexcept {
  return sheds[static_cast<std::size_t>(r)];
}
std::string_view name(banned_by b) noexcept {
  return bans[static_cast<std::size_t>(b)];
}

std::string_view decision::name() const noexcept {
  if (is_refusal()) return about(static_cast<errc>(value_)).code;
  return outcomes[static_cast<std::size_t>(value_ - forward)];
}

std::string_view decision::reason() const noexcept {
  return is_refusal() ? about(static_cast<errc>(value_)).reason : std::string_view{};
}

}  // namespace doorward::obs
