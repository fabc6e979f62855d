#include "pipeline/login_guard.hpp"

#include <algorithm>

#include "doorward/base/encoding.hpp"
#include "doorward/obs/log.hpp"
#include "pipeline/stages.hpp"

namespace doorward::pipeline {
namespace {

// How long one waits in line before its client is looked at.
constexpr milliseconds between_looks{1'000};

// What stands for the address of who came by a Unix socket: everybody, so it cannot be one client's.
constexpr std::string_view unix_peer = "unix";

unsigned whole_seconds(milliseconds t) noexcept {
  return static_cast<unsigned>(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(t).count()));
}

config::login_guard const& rules(exchange const& x) noexcept {
  return x.view().config.identity.guard;
}

// Everybody who is sent away comes back; not all in the same second. On average after the line has moved on once.
unsigned jittered_retry(exchange& x) {
  auto const spread = 2 * whole_seconds(rules(x).queue_timeout);
  return 1 + static_cast<unsigned>(x.worker.random.below(spread));
}

bool session_was_made(exchange const& x) noexcept {
  auto const& name = x.view().config.session.cookie.name;
  return std::ranges::any_of(x.response.fields, [&](auto const& f) {
    return f.id == http::field_id::set_cookie && http::sets_cookie(f.value, name);
  });
}

}  // namespace

login_visit::login_visit(exchange& x)
    : x_(x),
      place_(x.worker.shared.logins, x.worker.turns, x.worker.wheel),
      attempt_(!http::is_safe(x.head.verb)),
      to_form_(names_login_form(x)) {
  if (!attempt_ || x.client_address == unix_peer) return;
  address_ = x.worker.shared.login_keys.address(x.client_address);
}

result<void> login_visit::refuse(errc why, milliseconds ban) {
  x_.retry_after = whole_seconds(ban);
  return why;
}

result<void> login_visit::check_address() {
  if (!address_) return {};
  auto const ban = x_.worker.shared.failed_by_address.banned_for(*address_, x_.worker.wheel.now());
  return ban.count() > 0 ? refuse(errc::login_address_banned, ban) : result<void>{};
}

result<void> login_visit::check_bans() {
  if (auto r = check_address(); !r || !user_) return r;
  auto const ban = x_.worker.shared.failed_by_user.banned_for(*user_, x_.worker.wheel.now());
  return ban.count() > 0 ? refuse(errc::login_user_banned, ban) : result<void>{};
}

net::task<result<void>> login_visit::enter(std::span<char const> body) {
  if (attempt_ && !body.empty()) {
    auto const* type = x_.head.find("Content-Type");
    auto const name = auth::login_name(type == nullptr ? std::string_view{} : type->value, {body.data(), body.size()},
                                       rules(x_).user_field);
    if (!name) co_return name.error();
    if (*name) user_ = x_.worker.shared.login_keys.user(**name);
  }
  if (auto r = check_bans(); !r) co_return r;

  if (!place_.enter()) {
    x_.worker.metrics.login_shed(obs::shed_reason::queue_full);
    x_.retry_after = jittered_retry(x_);
    co_return errc::login_queue_full;
  }
  if (place_.admitted()) co_return result<void>{};

  auto const& wheel = x_.worker.wheel;
  auto const began = wheel.now();
  auto const until = began + rules(x_).queue_timeout;
  while (!place_.admitted()) {
    if (x_.client->stream.hung_up()) co_return errc::client_gone;
    if (wheel.now() >= until || place_.dismissed()) {
      x_.worker.metrics.login_shed(obs::shed_reason::queue_timeout);
      x_.retry_after = jittered_retry(x_);
      co_return errc::login_queue_timeout;
    }
    co_await place_.called(std::min(until, wheel.now() + between_looks));
  }
  x_.queue_time = wheel.now() - began;
  // Others of the same client may have failed meanwhile.
  co_return check_bans();
}

bool login_visit::has_failed() const {
  if (!attempt_) return false;
  // The service itself knows best.
  if (auto const* said = x_.response.find("Doorward-Attempt")) return iequals(said->value, "failed");
  auto const status = x_.response.status;
  if (status == 401 || status == 403 || status == 422) return true;
  return status < 400 && (to_form_ || user_);
}

void login_visit::judge(bool granted) {
  place_.leave();
  if (granted || (x_.view().config.identity.mode == config::identity_mode::external && session_was_made(x_))) {
    if (user_) x_.worker.shared.failed_by_user.forget(*user_);
    return;
  }
  if (!has_failed()) return;
  x_.worker.metrics.login_failed();
  if (address_) count(obs::banned_by::address, x_.worker.shared.failed_by_address, *address_);
  if (user_) count(obs::banned_by::user, x_.worker.shared.failed_by_user, *user_);
}

void login_visit::count(obs::banned_by kind, auth::failed_logins& failed, auth::failed_logins::key const& who) {
  auto const ban = failed.count(who, x_.worker.wheel.now());
  if (ban.count() == 0) return;
  x_.worker.metrics.login_ban(kind);
  x_.worker.limiter.write(x_.worker.wheel.now(), obs::log::level::warn, "login_banned",
                          {{"by", name(kind)},
                           {"client", x_.client_address},
                           {"request_id", x_.request_id},
                           {"seconds", whole_seconds(ban)}});
}

}  // namespace doorward::pipeline
