#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "doorward/base/deadline_wheel.hpp"
#include "doorward/config/model.hpp"
#include "doorward/net/executor.hpp"
#include "doorward/obs/metrics.hpp"
#include "doorward/runtime/revocations.hpp"
#include "doorward/session/store.hpp"

namespace doorward::runtime {

class live_sessions;

/// Something that stays open for long and belongs to a session: a tunnel, an event stream. Lives in the frame of
/// whoever carries it, and leaves its session when destroyed. Not movable.
class live_stream : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::safe_link>> {
public:
  live_stream() = default;
  live_stream(live_stream const&) = delete;
  live_stream& operator=(live_stream const&) = delete;

  /// Why it has to end; nothing while it may go on.
  [[nodiscard]] std::optional<obs::stream_end> ended() const noexcept { return ended_; }

  /// Called once, when ended() has an answer: whoever carries it is to be woken, and comes to the end by itself. Must
  /// not destroy the stream.
  virtual void on_session_end() noexcept = 0;

  /// What opened it would open it with the session as it is now, too.
  [[nodiscard]] virtual bool still_allowed(session::record const& now) const noexcept = 0;

protected:
  ~live_stream();

private:
  friend class live_sessions;
  struct session_group;
  session_group* group_ = nullptr;  ///< null for nobody's
  bool active_ = false;
  std::optional<obs::stream_end> ended_;
};

/// The sessions that have a tunnel or an event stream open on this worker. Each is looked up again every
/// `session.recheck`, once however many streams it has; and at once when somebody ends it through this process. What
/// is found to be over ends, with all its streams; what Redis does not answer changes nothing. The absolute limit needs
/// no Redis.
///
/// The sessions are spread evenly over the ticks of the interval, in the order in which they came: n sessions cost n
/// look-ups an interval, n / (interval / 50 ms) of them in one write. One a worker, on its thread; nothing happens
/// while there are none.
class live_sessions final : private deadline_entry {
public:
  /// Everything must outlive it.
  live_sessions(net::asio::io_context& context, deadline_wheel& wheel, session::store& store,
                session::field_layout const& fields, config::session_config const& config, obs::worker_metrics& metrics,
                runtime::revocations& news);
  live_sessions(live_sessions const&) = delete;
  live_sessions& operator=(live_sessions const&) = delete;
  ~live_sessions();

  /// From now on `s` ends with the session of this id, which has just been found to be `r`. `active`: its being open
  /// counts as activity of the session, where the configuration says that it can.
  void add(live_stream& s, std::string_view id, session::record const& r, bool active);

  /// The session has ended: so do its streams here.
  void end(std::string_view id, obs::stream_end why) noexcept;
  /// The user's sessions are looked up now.
  void check_user(std::string_view user);

  [[nodiscard]] std::size_t streams() const noexcept { return streams_; }
  [[nodiscard]] std::size_t sessions() const noexcept { return groups_.size(); }
  [[nodiscard]] net::asio::io_context& context() const noexcept { return context_; }

private:
  friend class live_stream;
  using group = live_stream::session_group;
  using slot_hook = boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  struct slot;
  struct hash_of_text : std::hash<std::string_view> {
    using is_transparent = void;
  };

  void on_deadline() noexcept override;
  void visit(slot& s);
  void look_up(group& g);
  [[nodiscard]] net::task<> ask(group& g);
  void judge(group& g, session::outcome o, session::record const& now);
  void note_limits(group& g, session::record const& r) noexcept;
  void end(group& g, obs::stream_end why) noexcept;
  void end(live_stream& s, obs::stream_end why) noexcept;
  void remove(live_stream& s) noexcept;
  void forget_if_empty(group& g) noexcept;

  net::asio::io_context& context_;
  deadline_wheel& wheel_;
  session::store& store_;
  session::field_layout const& fields_;
  config::session_config const& config_;
  obs::worker_metrics& metrics_;
  runtime::revocations& news_;

  bool const periodic_;  ///< else only what is owed a look-up gets one
  std::unordered_map<std::string, std::unique_ptr<group>, hash_of_text, std::equal_to<>> groups_;
  std::vector<slot> slots_;  ///< of one interval, a tick each
  std::size_t at_ = 0;       ///< the slot visited last
  std::size_t next_ = 0;     ///< that the next session goes to
  time_point swept_{};       ///< when at_ was due
  std::size_t streams_ = 0;
};

}  // namespace doorward::runtime
