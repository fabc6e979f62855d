#include "doorward/session/cache_keeper.hpp"

#include <array>
#include <exception>
#include <span>
#include <utility>

namespace doorward::session {
namespace {

constexpr std::string_view acl_hint = "the ACL user lacks a right for the near-cache; docs/redis.md has what to add";
constexpr std::string_view tracking_hint = "CLIENT TRACKING needs Redis 6";
constexpr std::string_view server_hint = "both connections have to reach the same Redis server";

// For what an operator has to change, and for what passes by itself.
constexpr milliseconds refused_wait{10'000};
constexpr milliseconds short_wait{1'000};

struct answer final : redis::sink {
  void on_reply(redis::reply const& r) noexcept override {
    type = r.type;
    if (type == redis::reply::kind::error) error = r.text;
    if (type == redis::reply::kind::array && r.items.size() == 1) only = r.items[0];
  }
  [[nodiscard]] bool refused() const noexcept { return type == redis::reply::kind::error; }
  redis::reply::kind type = redis::reply::kind::nil;
  std::string error;
  std::string only;  ///< what stands alone in a list
};

std::string_view hint_for(redis::error_kind kind) noexcept {
  return kind == redis::error_kind::permission ? acl_hint : redis::hint(kind);
}

/// What a server says that has never heard of it: "unknown command", "Unknown subcommand or wrong number of arguments",
/// "syntax error". Not that the feed's number is gone, say, which passes by itself.
bool is_too_old(std::string_view error) noexcept {
  return error.find("nknown ") != std::string_view::npos || error.starts_with("ERR syntax error");
}

}  // namespace

cache_keeper::cache_keeper(net::turn_queue& turns, deadline_wheel& wheel, redis::client& client, near_cache& cache,
                           config::redis_config const& config, fast_random& random, unsigned worker)
    : turns_(turns),
      wheel_(wheel),
      client_(client),
      cache_(cache),
      feed_(turns.context(), wheel, config, random, *this),
      worker_(worker) {}

cache_keeper::~cache_keeper() {
  client_.tell(nullptr);
}

void cache_keeper::start() {
  client_.tell(this);
  feed_.start();
}

void cache_keeper::stop() noexcept {
  client_.tell(nullptr);
  feed_.close();
  connected_ = false;
  disarm();
}

void cache_keeper::on_up() noexcept {
  connected_ = true;
  try_to_arm();
}

void cache_keeper::on_down() noexcept {
  connected_ = false;
  bool const was = cache_.armed();
  disarm();
  if (was) tell_off("connection_lost", "the worker's own connection has ended", {});
}

void cache_keeper::on_ready(long long client, std::string_view channel) noexcept {
  feed_client_ = std::to_string(client);
  channel_ = channel;
  try_to_arm();
}

void cache_keeper::on_invalidated(std::string_view key) noexcept {
  ++invalidations_;
  cache_.invalidate(key);
}

void cache_keeper::on_flushed() noexcept {
  ++invalidations_;
  cache_.clear();
}

void cache_keeper::on_lost(redis::error_kind why, std::string_view detail) noexcept {
  bool const was = cache_.armed();
  feed_client_.clear();
  disarm();
  // That there is no way to Redis is told by the client. A refusal is nobody else's to tell.
  using kind = redis::error_kind;
  bool const refused = why == kind::auth || why == kind::permission || why == kind::other;
  if (was || refused) tell_off(refused ? "refused" : "feed_lost", detail, hint_for(why));
}

void cache_keeper::refused() noexcept {
  disarm();
  later(short_wait);  // the next attempt finds out why, and says so
}

void cache_keeper::try_to_arm() {
  if (connected_ && !feed_client_.empty()) net::spawn(arm(++attempt_));
}

net::task<> cache_keeper::arm(std::uint64_t attempt) {
  // Redis is not to be asked within the work of either connection.
  co_await turns_.next();
  if (attempt != attempt_) co_return;
  // A message would prove nothing: replicas and the nodes of a cluster pass it on, and whoever listens by pattern
  // counts as a receiver. This is what subscribers by name, of this server alone, listen to.
  answer known;
  std::array<std::string_view, 3> const question{"PUBSUB", "CHANNELS", channel_};
  auto ec = co_await client_.try_command(question, known);
  if (attempt != attempt_) co_return;
  if (ec) co_return later(short_wait);
  if (known.refused()) {
    tell_off("refused", known.error, hint_for(redis::classify(known.error)));
    co_return later(refused_wait);
  }
  if (known.only != channel_) {
    // Another client of that server may have the feed's number: it must not be told, and we would not be.
    tell_off("other_server", "the two connections are to different servers", server_hint);
    co_return feed_.leave("it is on another server");
  }
  // Only what is asked for with consent is tracked: Redis would also remember every key that is not there. That it is
  // taken is tried here, once, so that a missing right is told now; it counts for one command, whichever comes next.
  std::array<std::string_view, 6> const track{"CLIENT", "TRACKING", "ON", "REDIRECT", feed_client_, "OPTIN"};
  std::array<std::string_view, 3> const consent{"CLIENT", "CACHING", "YES"};
  std::array<std::span<std::string_view const>, 2> const both{track, consent};
  for (auto const command : both) {
    answer said;
    ec = co_await client_.try_command(command, said);
    if (attempt != attempt_) co_return;
    if (ec) co_return later(short_wait);
    if (said.type == redis::reply::kind::status) continue;
    tell_off("refused", said.error, is_too_old(said.error) ? tracking_hint : hint_for(redis::classify(said.error)));
    co_return later(refused_wait);
  }
  cache_.arm(this);
  if (!std::exchange(told_ready_, true)) obs::log::info("near_cache_ready", {{"worker", worker_}});
}

void cache_keeper::disarm() noexcept {
  ++attempt_;
  wheel_.disarm(*this);
  cache_.disarm();
}

void cache_keeper::later(milliseconds wait) noexcept {
  wheel_.arm(*this, wheel_.now() + wait);
}

void cache_keeper::tell_off(std::string_view reason, std::string_view detail, std::string_view hint) noexcept {
  try {
    if (!limiter_.pass(reason, wheel_.now())) return;
    told_ready_ = false;
    obs::log::warn("near_cache_off", {{"reason", reason}, {"detail", detail}, {"hint", hint}, {"worker", worker_}});
  } catch (std::exception const&) {
    return;  // no memory for a line
  }
}

}  // namespace doorward::session
