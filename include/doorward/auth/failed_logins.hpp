#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <list>
#include <mutex>
#include <unordered_map>

#include "doorward/base/keyed_digest.hpp"
#include "doorward/base/time.hpp"

namespace doorward::auth {

/// Failed logins of addresses, or of users, and the bans they lead to: `failures` of one key within `window` and it is
/// banned for `ban`, the next time for twice as long, up to a day. Who has been quiet for as long as its last ban took,
/// and for a window, starts from nothing.
///
/// A success is not counted and, for an address, forgets nothing: whoever guesses at other people's passwords may have
/// an account of his own.
///
/// Memory is bounded; when it is full the oldest go first, the banned last. Logins come by the hundred a second and
/// each costs a password hash somewhere else, so one lock will do. Any thread.
class failed_logins {
public:
  using key = keyed_digest::value;
  struct rules {
    unsigned failures = 0;  ///< 0 = nothing is counted
    milliseconds window{};
    milliseconds ban{};
  };
  static constexpr std::size_t most_keys = 100'000;                    ///< about 12 MB
  static constexpr milliseconds longest_ban = std::chrono::hours{24};  ///< or `ban`, where that is longer

  explicit failed_logins(rules r, std::size_t most = most_keys) noexcept : rules_(r), most_(most) {}

  /// How long `who` may not try; zero = it may.
  [[nodiscard]] milliseconds banned_for(key const& who, time_point now);
  /// One more failure. The length of the ban when it led to one; else zero.
  [[nodiscard]] milliseconds count(key const& who, time_point now);
  /// Starts from nothing: `who` has shown that it knows the password.
  void forget(key const& who);

  /// How many keys are remembered.
  [[nodiscard]] std::size_t size();

private:
  struct entry {
    key who;
    unsigned failures = 0;  ///< in this window
    unsigned bans = 0;
    time_point window_end{};
    time_point ban_end{};
    time_point forgotten_at{};
  };
  using entries = std::list<entry>;
  struct hash {
    std::size_t operator()(key const& k) const noexcept {
      std::size_t h = 0;  // a key is as good as random already
      std::memcpy(&h, k.data(), sizeof h);
      return h;
    }
  };

  [[nodiscard]] bool on() const noexcept { return rules_.failures > 0; }
  [[nodiscard]] entry& find_or_add(key const& who, time_point now);
  void drop(entries::iterator at);
  void make_room(time_point now);
  [[nodiscard]] milliseconds length_of(unsigned ban) const noexcept;

  rules const rules_;
  std::size_t const most_;
  std::mutex lock_;
  entries by_age_;  ///< the one that failed longest ago first
  std::unordered_map<key, entries::iterator, hash> find_;
};

}  // namespace doorward::auth
