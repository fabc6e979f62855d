#include "doorward/session/redis_store.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <optional>
#include <vector>

#include "doorward/base/encoding.hpp"
#include "doorward/base/errc.hpp"
#include "doorward/session/key.hpp"
#include "session/near_lookups.hpp"
#include "session/scripts.hpp"

namespace doorward::session {
namespace {

/// A script of ours: its text as Redis gets it, and the name Redis knows it by. Made once a process.
struct own_script {
  explicit own_script(std::string_view body) : text(scripts::whole(body)), script(text) {}
  std::string text;
  redis::script script;
};
redis::script const& touch_script() {
  static own_script const s{scripts::touch};
  return s.script;
}
redis::script const& create_script() {
  static own_script const s{scripts::create};
  return s.script;
}
redis::script const& end_script() {
  static own_script const s{scripts::end};
  return s.script;
}
redis::script const& end_all_script() {
  static own_script const s{scripts::end_all};
  return s.script;
}
redis::script const& list_script() {
  static own_script const s{scripts::list};
  return s.script;
}

/// What most scripts return.
struct number_sink final : redis::sink {
  void on_reply(redis::reply const& r) noexcept override {
    if (r.type == redis::reply::kind::integer) value = r.integer;
  }
  std::optional<long long> value;
};

/// A list of texts.
struct texts_sink final : redis::sink {
  void on_reply(redis::reply const& r) noexcept override {
    if (r.type != redis::reply::kind::array || r.malformed || r.oversized) return;
    texts.emplace(r.items.begin(), r.items.end());
  }
  std::optional<std::vector<std::string>> texts;
};

std::optional<long long> number(std::string_view text) noexcept {
  long long n = 0;
  auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::string in_ms(config::seconds s) {
  return std::to_string(std::chrono::duration_cast<milliseconds>(s).count());
}

/// A look-up must be able to read what a login writes: well below the caps of a reply.
constexpr std::size_t most_fields = 256;
constexpr std::size_t most_bytes = 64 * 1024;
constexpr std::string_view reserved = "doorward.";

// How long the time of a log-out everywhere is kept: longer than any login takes.
constexpr char ended_kept_ms[] = "900000";

// What a script that ends sessions is run with: where, and its arguments. Copied from the store, which may go while it
// runs.
struct ending {
  std::string key;
  std::vector<std::string> args;
};

// The end of one; of anybody's, or only if it is this user's, and then with a mark.
ending end_of(config::session_config const& c, std::string_view tag, std::string key, std::string owner = {}) {
  auto const index = index_affixes(c, tag);
  std::string mark = owner.empty() ? "" : "1";
  return {std::move(key), {c.fields.user, index.prefix, index.suffix, std::move(owner), std::move(mark)}};
}

// The end of all, or of all but one: `user` says whose, or, where it is empty, the session at `key`.
ending end_of_all(config::session_config const& c, std::string_view tag, std::string key, std::string user,
                  bool one_stays) {
  auto const index = index_affixes(c, tag);
  auto const ended = ended_affixes(c, tag);
  return {std::move(key),
          {c.fields.user, index.prefix, index.suffix, std::move(user), one_stays ? "1" : "", ended_kept_ms,
           ended.prefix, ended.suffix}};
}

net::task<result<std::uint64_t>> run_ending(redis::client& redis, redis::script const& script, ending e,
                                            std::shared_ptr<near_cache> near = nullptr) {
  std::string_view const keys[] = {e.key};
  std::vector<std::string_view> const args(e.args.begin(), e.args.end());
  number_sink ended;
  auto const ec = co_await redis.eval(script, keys, args, ended);
  // Redis tells this worker as it tells everybody, but on another connection. Also where there was no answer: it may
  // have been done.
  if (near) near->invalidate(e.key);
  if (ec) co_return ec;
  if (!ended.value || *ended.value < 0) co_return errc::store_protocol;
  co_return static_cast<std::uint64_t>(*ended.value);
}

// A session of another program, whatever it is kept in.
net::task<result<std::uint64_t>> delete_one(redis::client& redis, std::string key, std::shared_ptr<near_cache> near) {
  std::string_view const argv[] = {"DEL", key};
  number_sink ended;
  auto const ec = co_await redis.command(argv, ended);
  if (near) near->invalidate(key);
  if (ec) co_return ec;
  if (!ended.value || *ended.value < 0) co_return errc::store_protocol;
  co_return static_cast<std::uint64_t>(*ended.value);
}

net::task<result<std::uint64_t>> no_index() {
  co_return errc::no_route;
}

// Sessions that came with a login and are of users whose keys are in other slots: no script may have keys of several.
// They go when the new one is there. Where one cannot be ended, the new one is taken back: who cannot be logged out of
// the old is not logged in to the new.
net::task<result<std::uint64_t>> end_apart(redis::client& redis, std::vector<ending> old, ending taking_back) {
  std::uint64_t ended = 0;
  for (auto& e : old) {
    auto const one = co_await run_ending(redis, end_script(), std::move(e));
    if (!one) {
      auto const back = co_await run_ending(redis, end_script(), std::move(taking_back));
      (void)back;  // it may fail as the other did; nobody knows the id, and it ends by its idle time
      co_return one.error();
    }
    ended += *one;
  }
  co_return ended;
}

result<created> read_created(std::optional<std::vector<std::string>> const& texts) {
  if (!texts || texts->size() != 4) return errc::store_protocol;
  std::array<long long, 4> n{};
  for (std::size_t i = 0; i < n.size(); ++i) {
    auto const one = number((*texts)[i]);
    if (!one || (i > 0 && *one < 0)) return errc::store_protocol;
    n[i] = *one;
  }
  if (n[0] == -2) return errc::session_revoked;
  if (n[0] == -3) return errc::session_limit;
  if (n[0] != 1) return errc::store_error;
  auto const count = [&](std::size_t i) { return static_cast<std::uint64_t>(n[i]); };
  return created{count(1), count(2), count(3)};
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

redis_store::redis_store(redis::client& redis, config::session_config const& config, std::shared_ptr<near_cache> near)
    : redis_(redis),
      config_(config),
      command_(command_for(config.encoding)),
      foreign_(is_own(config.encoding) ? nullptr : std::make_unique<foreign_reader>(config.encoding)),
      touching_(std::make_shared<touching>()),
      recent_(std::make_unique<recent>()),
      near_(near ? std::make_unique<near_lookups>(std::move(near)) : nullptr) {
  auto const& life = config.lifetime;
  touching_->args = {config.fields.user, config.fields.last_seen, config.fields.created,
                     in_ms(life.idle),   in_ms(life.absolute),    in_ms(life.touch_every)};
}

redis_store::~redis_store() = default;

std::shared_ptr<near_cache> redis_store::near() const noexcept {
  return near_ ? near_->cache() : nullptr;
}

touch_counters const& redis_store::touches() const noexcept {
  return touching_->counters;
}

bool redis_store::start(lookup& l) noexcept {
  if (!fits_layout(config_, l.id())) {
    l.finish(outcome::absent);
    return false;
  }
  assign_key(key_, config_, l.id());
  if (near_) [[unlikely]] {
    if (near_->answer(l, key_)) return false;
    if (near_->join(l, redis_.batch())) return true;
  }
  std::string_view const argv[] = {command_, key_};
  bool const keeps = near_ && near_->keeps(key_);
  if (keeps ? redis_.submit_tracked(argv, l) : redis_.submit(argv, l)) {
    if (near_) [[unlikely]]
      near_->asked(l, key_, redis_.batch(), keeps);
    return true;
  }
  l.finish(outcome::unavailable, errc::store_unavailable);
  return false;
}

void redis_store::take(lookup& l, redis::reply const& r) noexcept {
  auto const o = foreign_ ? foreign_->read(r, l.into(), wall_now()) : decode(r, l.into());
  if (foreign_) l.looked_like(foreign_->looks_like());
  l.finish(o);
  if (near_ && (o == outcome::found || l.fill())) [[unlikely]] {
    assign_key(key_, config_, l.id());
    near_->landed(l, key_, o, redis_.tracked(), foreign_ ? foreign_->ends() : std::nullopt);
  }
}

void redis_store::touch(std::string_view id) noexcept {
  if (foreign_) return;  // its program slides it
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
  net::spawn(one(redis_, key_of(config_, id), touching_));
}

net::task<result<created>> redis_store::create(new_session s) {
  if (foreign_) co_return errc::no_route;
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

  auto const tag = tag_of_user(config_, user);
  if (tag_of_id(config_, s.id) != tag) co_return errc::internal;  // an id of somebody else's
  auto const key = key_of(config_, s.id);
  auto const around_index = index_affixes(config_, tag);
  auto const index = between(around_index, user);
  auto const ended_at = between(ended_affixes(config_, tag), user);
  std::vector<std::string> replaced;
  std::vector<ending> apart;
  for (auto const id : s.replaces) {
    if (id == s.id || !fits_layout(config_, id)) continue;
    auto old = key_of(config_, id);
    if (auto const its = tag_of_id(config_, id); its == tag)
      replaced.push_back(std::move(old));
    else
      apart.push_back(end_of(config_, its, std::move(old)));
  }
  auto taking_back = end_of(config_, tag, key);
  std::vector<std::string_view> keys{key, index, ended_at};
  keys.insert(keys.end(), replaced.begin(), replaced.end());

  auto const& names = config_.fields;
  auto const idle_ms = in_ms(idle), absolute_ms = in_ms(absolute), index_ms = in_ms(index_lives);
  auto const idle_s = std::to_string(idle.count());
  auto const began_ago = std::to_string(s.began_ago.count());
  auto const most = std::to_string(config_.limit.per_user);
  auto const most_alike = std::to_string(config_.limit.per_device);
  auto const usual_ms = in_ms(life.absolute);
  auto const flag = [](bool set) { return set ? std::string_view{"1"} : std::string_view{}; };
  std::vector<std::string_view> args{names.user,
                                     names.created,
                                     names.last_seen,
                                     idle_ms,
                                     absolute_ms,
                                     flag(own_limits),
                                     idle_s,
                                     index_ms,
                                     around_index.prefix,
                                     around_index.suffix,
                                     flag(s.revoke_others),
                                     began_ago,
                                     most,
                                     flag(config_.limit.when_full == config::limit_action::deny),
                                     usual_ms,
                                     most_alike,
                                     s.device_class.empty() ? std::string_view{"other"} : s.device_class};
  auto const add = [&](std::string_view name, std::string_view value) {
    args.push_back(name);
    args.push_back(value);
  };
  for (auto const& [name, value] : s.fields) {
    // Bookkeeping is doorward's: a grant can neither date a session back nor lift its limits. How one logged in comes
    // from its options, which are no fields of it.
    bool const of_login = name == acr_name || name == auth_time_name;
    if (name == names.created || name == names.last_seen || (name.starts_with(reserved) && !of_login)) continue;
    add(name, value);
  }
  if (!s.address.empty()) add(address_name, s.address);
  if (!s.device.empty()) add(device_name, s.device);
  if (!s.agent.empty()) add(agent_name, s.agent);
  if (!s.device_class.empty()) add(device_class_name, s.device_class);
  texts_sink did;
  auto& redis = redis_;
  if (auto const ec = co_await redis.eval(create_script(), keys, args, did)) co_return ec;
  auto made = read_created(did.texts);
  if (!made || apart.empty()) co_return made;
  auto const ended = co_await end_apart(redis, std::move(apart), std::move(taking_back));
  if (!ended) co_return ended.error();
  made->replaced += *ended;
  co_return made;
}

net::task<result<std::uint64_t>> redis_store::end(std::string id) {
  if (foreign_) return delete_one(redis_, key_of(config_, id), near());
  return run_ending(redis_, end_script(), end_of(config_, tag_of_id(config_, id), key_of(config_, id)), near());
}

net::task<result<std::uint64_t>> redis_store::revoke(std::string user, std::string key) {
  if (foreign_) return no_index();
  auto const tag = tag_of_user(config_, user);
  return run_ending(redis_, end_script(), end_of(config_, tag, std::move(key), std::move(user)), near());
}

net::task<result<std::uint64_t>> redis_store::end_all(std::string id) {
  if (foreign_) return no_index();
  return run_ending(redis_, end_all_script(),
                    end_of_all(config_, tag_of_id(config_, id), key_of(config_, id), {}, false), near());
}

net::task<result<std::uint64_t>> redis_store::end_others(std::string id) {
  if (foreign_) return no_index();
  return run_ending(redis_, end_all_script(),
                    end_of_all(config_, tag_of_id(config_, id), key_of(config_, id), {}, true), near());
}

net::task<result<std::uint64_t>> redis_store::end_user(std::string user) {
  if (foreign_) return no_index();
  auto const tag = tag_of_user(config_, user);
  auto index = between(index_affixes(config_, tag), user);
  return run_ending(redis_, end_all_script(), end_of_all(config_, tag, std::move(index), std::move(user), false));
}

net::task<result<std::vector<listed_session>>> redis_store::list(std::string user) {
  if (foreign_) co_return errc::no_route;
  auto const index = between(index_affixes(config_, tag_of_user(config_, user)), user);
  auto const names = config_.fields;  // copied: the store may go while the script runs
  std::string_view const keys[] = {index};
  auto const most = std::to_string(most_listed);
  auto const usual_ms = in_ms(config_.lifetime.absolute);
  std::string_view const args[] = {names.user, user, names.created, names.last_seen, most, usual_ms};
  texts_sink found;
  if (auto const ec = co_await redis_.eval(list_script(), keys, args, found)) co_return ec;
  constexpr std::size_t texts_each = 6;
  if (!found.texts || found.texts->size() % texts_each != 0) co_return errc::store_protocol;
  std::vector<listed_session> all;
  for (auto at = found.texts->begin(); at != found.texts->end(); at += texts_each) {
    auto& one = all.emplace_back();
    one.handle = handle_of(at[0]);
    one.key = std::move(at[0]);
    one.created = parse_time(at[1]);
    one.last_seen = parse_time(at[2]);
    if (auto const left = number(at[3]); left && *left >= 0) one.left = milliseconds{*left};
    one.address = std::move(at[4]);
    one.device = std::move(at[5]);
  }
  co_return all;
}

std::string handle_of(std::string_view key) {
  constexpr std::size_t length = 22;  // 132 bits
  auto const digest = sha256(std::string("doorward.handle:").append(key));
  return base64url(digest).substr(0, length);
}

}  // namespace doorward::session
