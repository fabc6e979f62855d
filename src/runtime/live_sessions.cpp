#include "doorward/runtime/live_sessions.hpp"

#include <algorithm>
#include <utility>

#include "doorward/base/errc.hpp"
#include "doorward/session/lifetime.hpp"

namespace doorward::runtime {
namespace {

// Without a recheck: how soon a look-up that Redis did not answer is tried again.
constexpr milliseconds retry_every{1'000};

// Clocks may be set: how far ahead the absolute limit is waited for in one go.
constexpr epoch_ms longest_wait = 60'000;

// Redis lets a key go a moment late, and its clock is not ours.
constexpr epoch_ms idle_tolerance = 2'000;

// One slot less than fit in, for the tick by which a look may be late.
std::size_t slots_of(milliseconds interval) noexcept {
  auto const ticks = interval / deadline_wheel::tick;
  return static_cast<std::size_t>(std::max<milliseconds::rep>(ticks - 1, 1));
}

obs::lookup_result label_of(session::outcome o, session::answered_by from) noexcept {
  if (o == session::outcome::unavailable) return obs::lookup_result::error;
  if (o == session::outcome::malformed) return obs::lookup_result::undecodable;
  if (o != session::outcome::found) return obs::lookup_result::miss;
  return from == session::answered_by::batch ? obs::lookup_result::coalesced : obs::lookup_result::hit;
}

}  // namespace

/// A session with what it has open.
struct live_stream::session_group final : deadline_entry {
  explicit session_group(live_sessions& o) noexcept : owner(o) {}

  // The absolute limit may have come.
  void on_deadline() noexcept override {
    if (absolute && *absolute <= wall_now())
      owner.end(*this, obs::stream_end::expired);
    else
      wait_for_limit();
  }
  void wait_for_limit() noexcept {
    if (!absolute) return owner.wheel_.disarm(*this);
    auto const left = std::clamp<epoch_ms>(*absolute - wall_now(), 0, longest_wait);
    owner.wheel_.arm(*this, owner.wheel_.now() + milliseconds{left});
  }

  live_sessions& owner;
  std::string const* id = nullptr;  ///< its key in the map
  std::string user;
  std::optional<epoch_ms> absolute;
  std::optional<epoch_ms> idle;
  bool asking = false;  ///< a look-up is under way
  bool again = false;   ///< ... and may have come too early
  bool owed = false;    ///< a look-up that Redis has to answer, whether there is a recheck or not
  boost::intrusive::list<live_stream, boost::intrusive::constant_time_size<false>> streams;
  live_sessions::slot_hook in_slot;
};

struct live_sessions::slot {
  boost::intrusive::list<group, boost::intrusive::member_hook<group, slot_hook, &group::in_slot>,
                         boost::intrusive::constant_time_size<false>>
      sessions;
};

live_stream::~live_stream() {
  if (group_ != nullptr) group_->owner.remove(*this);
}

live_sessions::live_sessions(net::asio::io_context& context, deadline_wheel& wheel, session::store& store,
                             session::field_layout const& fields, config::session_config const& config,
                             obs::worker_metrics& metrics, runtime::revocations& news)
    : context_(context),
      wheel_(wheel),
      store_(store),
      fields_(fields),
      config_(config),
      metrics_(metrics),
      news_(news),
      periodic_(config.recheck.count() > 0),
      slots_(slots_of(periodic_ ? config.recheck : retry_every)) {
  news_.join(*this);
}

live_sessions::~live_sessions() {
  news_.leave(*this);
}

void live_sessions::add(live_stream& s, std::string_view id, session::record const& r, bool active) {
  if (groups_.empty()) {
    swept_ = wheel_.now();
    wheel_.arm(*this, swept_);
  }
  auto at = groups_.find(id);
  if (at == groups_.end()) {
    at = groups_.emplace(id, std::make_unique<group>(*this)).first;
    auto& fresh = *at->second;
    fresh.id = &at->first;
    fresh.user = r.user();
    next_ = (next_ + 1) % slots_.size();
    slots_[next_].sessions.push_back(fresh);
  }
  auto& g = *at->second;
  if (g.user != r.user()) {
    end(g, obs::stream_end::changed);
    g.user = r.user();
  }
  g.streams.push_back(s);
  s.group_ = &g;
  s.active_ = active;
  ++streams_;
  ++news_.streams_;
  note_limits(g, r);
  if (periodic_) return;
  // Between its look-up and this moment the session may have ended, and nobody would look again.
  g.owed = true;
  look_up(g);
}

void live_sessions::remove(live_stream& s) noexcept {
  auto& g = *s.group_;
  g.streams.erase(g.streams.iterator_to(s));
  --streams_;
  --news_.streams_;
  forget_if_empty(g);
}

// A look-up under way has a reference, and asks again when it is done.
void live_sessions::forget_if_empty(group& g) noexcept {
  if (!g.streams.empty() || g.asking) return;
  groups_.erase(groups_.find(*g.id));
  if (groups_.empty()) wheel_.disarm(*this);
}

void live_sessions::on_deadline() noexcept {
  // After a long stop everybody is due, once.
  swept_ = std::max(swept_, wheel_.now() - static_cast<milliseconds::rep>(slots_.size()) * deadline_wheel::tick);
  for (; swept_ + deadline_wheel::tick <= wheel_.now(); swept_ += deadline_wheel::tick) {
    at_ = (at_ + 1) % slots_.size();
    visit(slots_[at_]);
  }
  wheel_.arm(*this, wheel_.now());  // the next tick
}

void live_sessions::visit(slot& s) {
  for (auto& g : s.sessions)
    if (periodic_ || g.owed) look_up(g);
}

void live_sessions::look_up(group& g) {
  if (g.asking) {
    g.again = g.again || g.owed;
    return;
  }
  g.asking = true;
  net::spawn(ask(g));
}

// Look-ups begun in the same turn of the loop leave in one write.
net::task<> live_sessions::ask(group& g) {
  session::record now(fields_);
  do {
    g.again = false;
    auto const began = steady::now();
    // What is owed a look-up may be so because it has ended a moment ago, and with a copy of before it would not end.
    auto lookup = store_.find_fresh(*g.id, now);
    auto const o = co_await lookup;
    // While there is no connection nothing is asked, and nothing counted.
    if (lookup.why() != errc::store_unavailable) metrics_.lookup(label_of(o, lookup.from()), steady::now() - began);
    if (o == session::outcome::unavailable) break;
    g.owed = g.again;
    judge(g, o, now);
  } while (g.again && !g.streams.empty());
  g.asking = false;
  forget_if_empty(g);
}

void live_sessions::judge(group& g, session::outcome o, session::record const& now) {
  using session::outcome;
  switch (o) {
    case outcome::found: break;
    case outcome::unavailable: return;
    case outcome::expired: return end(g, obs::stream_end::expired);
    case outcome::displaced: return end(g, obs::stream_end::displaced);
    case outcome::revoked: return end(g, obs::stream_end::revoked);
    case outcome::absent: {
      bool const idled = g.idle && *g.idle <= wall_now() + idle_tolerance;
      return end(g, idled ? obs::stream_end::expired : obs::stream_end::gone);
    }
    case outcome::ghost:
    case outcome::malformed:
    case outcome::wrong_type: return end(g, obs::stream_end::gone);
  }
  if (now.user() != g.user) return end(g, obs::stream_end::changed);
  if (session::past_absolute(now, config_.lifetime, wall_now())) return end(g, obs::stream_end::expired);
  note_limits(g, now);
  bool active = false;
  for (auto& s : g.streams) {
    if (s.ended_) continue;
    if (!s.still_allowed(now))
      end(s, obs::stream_end::forbidden);
    else
      active = active || s.active_;
  }
  if (active && config_.lifetime.streams && session::needs_touch(now, config_.lifetime, wall_now()))
    store_.touch(*g.id);
}

void live_sessions::note_limits(group& g, session::record const& r) noexcept {
  g.idle = session::idle_end(r, config_.lifetime);
  g.absolute = session::absolute_end(r, config_.lifetime);
  g.wait_for_limit();
}

void live_sessions::end(group& g, obs::stream_end why) noexcept {
  for (auto& s : g.streams)
    end(s, why);
}

void live_sessions::end(live_stream& s, obs::stream_end why) noexcept {
  if (s.ended_) return;
  s.ended_ = why;
  metrics_.stream_ended(why);
  s.on_session_end();
}

void live_sessions::end(std::string_view id, obs::stream_end why) noexcept {
  if (auto const at = groups_.find(id); at != groups_.end()) end(*at->second, why);
}

void live_sessions::check_user(std::string_view user) {
  // Most of the time one of a few thousand is meant, and this happens when somebody ends sessions: a walk will do.
  for (auto const& [id, g] : groups_) {
    if (g->user != user) continue;
    g->owed = true;
    look_up(*g);
  }
}

}  // namespace doorward::runtime
