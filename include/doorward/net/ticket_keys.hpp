#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>

#include "doorward/base/time.hpp"

namespace doorward::net {

/// The keys that session tickets (RFC 5077; RFC 8446 section 4.6.1) are sealed with. All workers have the same, so that
/// a client may come back to any of them. A new key every 12 hours and no older one than the one before it: who gets
/// hold of the process cannot read what was recorded days ago. A lock will do: it is taken by handshakes only.
class ticket_keys {
public:
  static constexpr std::chrono::hours lifetime{12};

  struct key {
    std::array<std::uint8_t, 16> name;  ///< goes with the ticket, in the clear
    std::array<std::uint8_t, 32> cipher;
    std::array<std::uint8_t, 32> mac;
  };

  ticket_keys() = default;
  ticket_keys(ticket_keys const&) = delete;
  ticket_keys& operator=(ticket_keys const&) = delete;
  ~ticket_keys();

  /// Puts away what is too old, where no handshake comes to ask. Any thread.
  void renew(time_point now);

  /// The key to seal with. Any thread.
  [[nodiscard]] key current(time_point now);

  struct found {
    key with;
    bool renew;  ///< it is not the current one any more
  };
  /// The key that a ticket was sealed with; nothing when it is gone. Any thread.
  [[nodiscard]] std::optional<found> find(std::uint8_t const* name, time_point now);

private:
  void renew_if_old(time_point now);

  std::mutex lock_;
  std::optional<key> now_;
  std::optional<key> before_;
  time_point since_{};
};

}  // namespace doorward::net
