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

// How long the time of a log-out everywhere is kept: longer than any login takes.
constexpr char ended_kept_ms[] = "900000";

// Where it is kept: among the sessions, where no session can be, for ids have no colon.
config::affixes ended_affixes(config::session_config const& c) {
  return {c.key.prefix + "ended:", c.key.suffix};
}

// What the script that ends several wants to know: whose, and whether one stays.
std::vector<std::string> for_all(config::session_config const& c, std::string user, bool one_stays) {
  auto const where = ended_affixes(c);
  return {std::move(user), one_stays ? "1" : "", ended_kept_ms, where.prefix, where.suffix};
}

// A script that ends sessions, with what all of them want to know first. Everything is copied: the store may go while
// it runs.
net::task<result<std::uint64_t>> run_ending(redis::client& redis, redis::script const& script,
                                            config::session_config const& config, std::string key,
                                            std::vector<std::string> more) {
  std::string_view const keys[] = {key};
  std::array<std::string, 3> const kept{config.fields.user, config.index.prefix, config.index.suffix};
  std::vector<std::string_view> args{kept[0], kept[1], kept[2]};
  args.insert(args.end(), more.begin(), more.end());
  number_sink ended;
  if (auto const ec = co_await redis.eval(script, keys, args, ended)) co_return ec;
  if (!ended.value || *ended.value < 0) co_return errc::store_protocol;
  co_return static_cast<std::uint64_t>(*ended.value);
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
  assign_key(key_, config_, l.id());
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
  net::spawn(one(redis_, key_of(config_, id), touching_));
}

net::task<result<created>> redis_store::create(new_session s) {
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

  auto const key = key_of(config_, s.id);
  auto const index = around(config_.index, user);
  auto const ended_at = around(ended_affixes(config_), user);
  std::vector<std::string> replaced;
  for (auto const id : s.replaces)
    if (id != s.id) replaced.push_back(key_of(config_, id));
  std::vector<std::string_view> keys{key, index, ended_at};
  keys.insert(keys.end(), replaced.begin(), replaced.end());

  auto const& names = config_.fields;
  auto const idle_ms = in_ms(idle), absolute_ms = in_ms(absolute), index_ms = in_ms(index_lives);
  auto const idle_s = std::to_string(idle.count());
  auto const began_ago = std::to_string(s.began_ago.count());
  auto const most = std::to_string(config_.limit.per_user);
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
                                     config_.index.prefix,
                                     config_.index.suffix,
                                     flag(s.revoke_others),
                                     began_ago,
                                     most,
                                     flag(config_.limit.when_full == config::limit_action::deny),
                                     usual_ms};
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
  texts_sink did;
  if (auto const ec = co_await redis_.eval(create_script(), keys, args, did)) co_return ec;
  co_return read_created(did.texts);
}

net::task<result<std::uint64_t>> redis_store::end(std::string id) {
  return run_ending(redis_, end_script(), config_, key_of(config_, id), {"", ""});
}

net::task<result<std::uint64_t>> redis_store::revoke(std::string user, std::string key) {
  return run_ending(redis_, end_script(), config_, std::move(key), {std::move(user), "1"});
}

net::task<result<std::uint64_t>> redis_store::end_all(std::string id) {
  return run_ending(redis_, end_all_script(), config_, key_of(config_, id), for_all(config_, {}, false));
}

net::task<result<std::uint64_t>> redis_store::end_others(std::string id) {
  return run_ending(redis_, end_all_script(), config_, key_of(config_, id), for_all(config_, {}, true));
}

net::task<result<std::uint64_t>> redis_store::end_user(std::string user) {
  auto index = around(config_.index, user);
  return run_ending(redis_, end_all_script(), config_, std::move(index), for_all(config_, std::move(user), false));
}

net::task<result<std::vector<listed_session>>> redis_store::list(std::string user) {
  auto const index = around(config_.index, user);
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
