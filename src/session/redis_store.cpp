#include "doorward/session/redis_store.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "doorward/base/errc.hpp"
#include "session/scripts.hpp"

namespace doorward::session {
namespace {

redis::script const& touch_script() {
  static redis::script const s{scripts::touch};
  return s;
}
redis::script const& create_script() {
  static redis::script const s{scripts::create};
  return s;
}
redis::script const& end_script() {
  static redis::script const s{scripts::end};
  return s;
}
redis::script const& end_all_script() {
  static redis::script const s{scripts::end_all};
  return s;
}

/// All scripts return a number.
struct number_sink final : redis::sink {
  void on_reply(redis::reply const& r) noexcept override {
    if (r.type == redis::reply::kind::integer) value = r.integer;
  }
  std::optional<long long> value;
};

std::string in_ms(config::seconds s) {
  return std::to_string(std::chrono::duration_cast<milliseconds>(s).count());
}

std::string around(config::affixes const& a, std::string_view inner) {
  std::string out;
  out.reserve(a.prefix.size() + inner.size() + a.suffix.size());
  out.append(a.prefix).append(inner).append(a.suffix);
  return out;
}

/// A look-up must be able to read what a login writes: well below the caps of a reply.
constexpr std::size_t most_fields = 256;
constexpr std::size_t most_bytes = 64 * 1024;
constexpr std::string_view reserved = "doorward.";

net::task<result<std::uint64_t>> run(redis::client& redis, redis::script const& script, std::string key,
                                     config::session_config const& config) {
  std::string_view const keys[] = {key};
  // Copied: the store may go while the script runs.
  std::array<std::string, 3> const kept{config.fields.user, config.index.prefix, config.index.suffix};
  std::string_view const args[] = {kept[0], kept[1], kept[2]};
  number_sink ended;
  if (auto const ec = co_await redis.eval(script, keys, args, ended)) co_return ec;
  if (!ended.value || *ended.value < 0) co_return errc::store_protocol;
  co_return static_cast<std::uint64_t>(*ended.value);
}

}  // namespace

/// What a touch needs after the store is gone.
struct redis_store::touching {
  std::array<std::string, 6> args;
  touch_counters counters;
};

/// A page brings twenty requests at once, and each sees the same old time: the sessions touched within the last second.
struct redis_store::recent {
  struct entry {
    std::size_t hash = 0;
    time_point at{};
  };
  std::array<entry, 1024> entries{};

  /// True when `id` has not been noted within a second; notes it. Two ids in one place push each other out, which costs
  /// a script that finds nothing to do.
  bool note(std::string_view id, time_point now) noexcept {
    auto const hash = std::hash<std::string_view>{}(id);
    auto& e = entries[hash % entries.size()];
    if (e.hash == hash && now - e.at < std::chrono::seconds{1}) return false;
    e = {hash, now};
    return true;
  }
};

redis_store::redis_store(redis::client& redis, config::session_config const& config)
    : redis_(redis), config_(config), touching_(std::make_shared<touching>()), recent_(std::make_unique<recent>()) {
  auto const& life = config.lifetime;
  touching_->args = {config.fields.user, config.fields.last_seen, config.fields.created,
                     in_ms(life.idle),   in_ms(life.absolute),    in_ms(life.touch_every)};
}

redis_store::~redis_store() = default;

touch_counters const& redis_store::touches() const noexcept {
  return touching_->counters;
}

bool redis_store::start(lookup& l) noexcept {
  key_.assign(config_.key.prefix).append(l.id()).append(config_.key.suffix);
  std::string_view const argv[] = {"HGETALL", key_};
  if (redis_.submit(argv, l)) return true;
  l.finish(outcome::unavailable, errc::store_unavailable);
  return false;
}

void redis_store::touch(std::string_view id) noexcept {
  if (!recent_->note(id, steady::now())) {
    ++touching_->counters.skipped;
    return;
  }
  auto const one = [](redis::client& redis, std::string key, std::shared_ptr<touching> t) -> net::task<> {
    std::string_view const keys[] = {key};
    std::string_view const args[] = {t->args[0], t->args[1], t->args[2], t->args[3], t->args[4], t->args[5]};
    number_sink did;
    auto const ec = co_await redis.eval(touch_script(), keys, args, did);
    if (ec || !did.value)
      ++t->counters.failed;
    else if (*did.value == 0)
      ++t->counters.gone;
    else
      ++(*did.value == 1 ? t->counters.done : t->counters.skipped);
  };
  net::spawn(one(redis_, around(config_.key, id), touching_));
}

net::task<result<std::uint64_t>> redis_store::create(new_session s) {
  std::string_view user;
  std::size_t bytes = 0;
  for (auto const& [name, value] : s.fields) {
    bytes += name.size() + value.size();
    if (name != config_.fields.user) continue;
    if (!user.empty()) co_return errc::bad_grant;
    user = value;
  }
  if (user.empty() || s.fields.size() > most_fields || bytes > most_bytes) co_return errc::bad_grant;

  auto const& life = config_.lifetime;
  auto const idle = s.idle.value_or(s.remember ? life.remember_idle : life.idle);
  auto const absolute = s.absolute.value_or(s.remember ? life.remember_absolute : life.absolute);
  bool const own_limits = s.remember || s.idle || s.absolute;
  auto const index_lives = std::max({life.absolute, life.remember_absolute, absolute});

  auto const key = around(config_.key, s.id);
  auto const index = around(config_.index, user);
  auto const replaces = around(config_.key, s.replaces);
  std::vector<std::string_view> keys{key, index};
  if (!s.replaces.empty() && s.replaces != s.id) keys.push_back(replaces);

  auto const& names = config_.fields;
  auto const idle_ms = in_ms(idle), absolute_ms = in_ms(absolute), index_ms = in_ms(index_lives);
  auto const idle_s = std::to_string(idle.count());
  auto const flag = [](bool set) { return set ? std::string_view{"1"} : std::string_view{}; };
  std::vector<std::string_view> args{names.user,
                                     names.created,
                                     names.last_seen,
                                     idle_ms,
                                     absolute_ms,
                                     flag(own_limits),
                                     idle_s,
                                     index_ms,
                                     config_.index.prefix,
                                     config_.index.suffix,
                                     flag(s.revoke_others)};
  for (auto const& [name, value] : s.fields) {
    // Bookkeeping is doorward's: a grant can neither date a session back nor lift its limits.
    if (name == names.created || name == names.last_seen || name.starts_with(reserved)) continue;
    args.push_back(name);
    args.push_back(value);
  }
  number_sink did;
  if (auto const ec = co_await redis_.eval(create_script(), keys, args, did)) co_return ec;
  if (!did.value || *did.value < 1) co_return errc::store_error;
  co_return static_cast<std::uint64_t>(*did.value - 1);
}

net::task<result<std::uint64_t>> redis_store::end(std::string id) {
  return run(redis_, end_script(), around(config_.key, id), config_);
}

net::task<result<std::uint64_t>> redis_store::end_all(std::string id) {
  return run(redis_, end_all_script(), around(config_.key, id), config_);
}

}  // namespace doorward::session
