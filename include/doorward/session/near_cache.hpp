#pragma once

#include <array>
#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "doorward/base/text_hash.hpp"
#include "doorward/base/time.hpp"
#include "doorward/config/model.hpp"
#include "doorward/session/record.hpp"

namespace doorward::session {

/// Copies of sessions as Redis had them, which Redis says when to forget (docs/adr/0025). One a worker, not
/// thread-safe, and no I/O: whoever hears Redis (cache_keeper) arms it once every change will be heard of, and disarms
/// it at once when that is so no longer.
///
/// A copy is used until the earliest of: its max_age, counted from when it was asked for; the session's idle end; its
/// absolute end. Only what was found is kept, never that something was not.
class near_cache {
public:
  /// Larger ones are not kept, so that `entries` bounds the memory, too.
  static constexpr std::size_t most_bytes = 4096;

  /// What has come and has not been read yet; may call invalidate(), clear() and disarm(). Asked before each hit, so
  /// that no copy is used of which the machine has been told already.
  struct news {
    virtual void take() noexcept = 0;
    /// Redis does not track what it was asked to: nothing that follows may be kept. Within a reply of Redis.
    virtual void refused() noexcept {}

  protected:
    ~news() = default;
  };

  /// A copy that has been asked for and has not come. Good as long as nobody said in between that the key changed.
  class fill {
  public:
    [[nodiscard]] explicit operator bool() const noexcept { return stamp_ != 0; }

  private:
    friend class near_cache;
    std::uint64_t stamp_ = 0;  ///< 0: not to be kept
    std::size_t place_ = 0;
    time_point began_{};
  };

  near_cache(std::size_t entries, milliseconds max_age, config::session_lifetime const& lifetime);
  near_cache(near_cache const&) = delete;
  near_cache& operator=(near_cache const&) = delete;

  /// From now on every change is heard of. `from` may be null, and must stay until disarm().
  void arm(news* from) noexcept;
  /// No longer: empties it, and what is being asked for will not be kept. Doing it twice is fine.
  void disarm() noexcept;
  [[nodiscard]] bool armed() const noexcept { return armed_; }

  /// Copies the session at `key` into `into`; false, and nothing is changed, when there is no copy that may be used.
  /// Takes nothing from the heap where `into` has held one like it before.
  [[nodiscard]] bool get(std::string_view key, record& into, time_point now);

  /// To be called before Redis is asked, or right then; then land() with what it said, if the session was found.
  /// `ends`: when it is over for a reason that is not in the record.
  [[nodiscard]] fill begin(std::string_view key, time_point now) const noexcept;
  void land(fill const& f, std::string_view key, record const& r, time_point now, epoch_ms wall,
            std::optional<epoch_ms> ends = std::nullopt) noexcept;

  /// Redis has answered, and not tracked. Tells `news`, and disarms.
  void refused() noexcept;

  /// The key has changed, or may have.
  void invalidate(std::string_view key) noexcept;
  /// All may have.
  void clear() noexcept;

  /// Gives back the places of what is too old to be used and has not been for longest, at most so many.
  void drop_old(time_point now, std::size_t most) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t most() const noexcept { return most_; }

  /// Places a key in a table of this cache, or of somebody beside it.
  [[nodiscard]] std::uint64_t hash(std::string_view key) const noexcept { return entries_.hash_function()(key); }

private:
  struct entry : boost::intrusive::list_base_hook<> {
    record copy;
    time_point until{};
    std::string const* key = nullptr;  ///< in the map
  };
  // Keyed: where applications take ids that clients made up, those could be chosen so that they collide.
  struct hash_of_text : text_hash {
    using is_transparent = void;
  };
  using map = std::unordered_map<std::string, entry, hash_of_text, std::equal_to<>>;

  // Fills need no list of their own: a change of any key in a place spoils the fills of all of them. That costs a
  // look-up now and then, and whoever chooses ids cannot make it cost more.
  static constexpr std::size_t places = 4096;
  [[nodiscard]] std::size_t place_of(std::string_view key) const noexcept { return hash(key) % places; }
  /// Never 0, and never the same again once the place or all of it has changed.
  [[nodiscard]] std::uint64_t stamp_of(std::size_t place) const noexcept { return epoch_ + changed_[place]; }

  [[nodiscard]] time_point good_until(fill const& f, record const& r, time_point now, epoch_ms wall,
                                      std::optional<epoch_ms> ends) const noexcept;
  void keep(std::string_view key, record const& r, time_point until);
  entry& place_for(std::string_view key);

  std::size_t const most_;
  milliseconds const max_age_;
  config::session_lifetime const lifetime_;
  news* news_ = nullptr;
  bool armed_ = false;
  std::uint64_t epoch_ = 1;
  std::uint64_t changes_ = 0;
  std::array<std::uint64_t, places> changed_{};
  map entries_;
  boost::intrusive::list<entry> recent_;  ///< of entries_, the one used last first
};

}  // namespace doorward::session
