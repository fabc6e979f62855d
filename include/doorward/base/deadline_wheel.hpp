#pragma once

#include <array>
#include <boost/intrusive/list.hpp>
#include <cstddef>

#include "doorward/base/time.hpp"

namespace doorward {

class deadline_wheel;

/// Something that has to be done if nothing happened by a time. Lives in the frame of whoever waits; leaves its wheel
/// when destroyed. Not movable.
class deadline_entry
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
  deadline_entry() = default;
  deadline_entry(deadline_entry const&) = delete;
  deadline_entry& operator=(deadline_entry const&) = delete;

  /// Called once by the wheel when the time has passed; the entry is disarmed by then and may be armed again.
  virtual void on_deadline() noexcept = 0;

protected:
  ~deadline_entry() = default;

private:
  friend class deadline_wheel;
  time_point at_ = time_point::max();  ///< max() = disarmed
  time_point slot_end_{};              ///< the tick at which the slot it sits in is looked at
};

/// Coarse deadlines for one worker: a hashed wheel in place of a timer an operation. Arming later than before, the
/// common case on a busy connection, is one store; the entry is moved when its old slot comes round. Fires between 0
/// and one tick late, never early. Not thread-safe.
class deadline_wheel {
public:
  static constexpr milliseconds tick{50};
  static constexpr std::size_t slots = 256;

  explicit deadline_wheel(time_point now) noexcept;

  /// The time of the last `advance`: good to a tick, and free.
  [[nodiscard]] time_point now() const noexcept { return now_; }

  void arm(deadline_entry& entry, time_point at) noexcept;
  void disarm(deadline_entry& entry) noexcept { entry.at_ = time_point::max(); }

  /// Fires what is due. Call once a tick; a late call catches up.
  void advance(time_point now) noexcept;

private:
  using list = boost::intrusive::list<deadline_entry, boost::intrusive::constant_time_size<false>>;

  void link(deadline_entry& entry) noexcept;

  time_point now_;
  time_point swept_;  ///< every slot up to here has been looked at
  std::array<list, slots> wheel_;
};

}  // namespace doorward
