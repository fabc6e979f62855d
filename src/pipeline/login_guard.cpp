#include "pipeline/login_guard.hpp"

#include <algorithm>
#include <utility>

#include "doorward/auth/request_checks.hpp"
#include "doorward/base/encoding.hpp"
#include "doorward/obs/log.hpp"
#include "pipeline/stages.hpp"

namespace doorward::pipeline {
namespace {

// How long one waits in line before its client is looked at.
constexpr milliseconds between_looks{1'000};

// What stands for the address of who came by a Unix socket.
constexpr std::string_view unix_peer = "unix";

config::login_guard const& rules(exchange const& x) noexcept {
  return x.view().config.identity.guard;
}

unsigned whole_seconds(milliseconds t) noexcept {
  return static_cast<unsigned>(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(t).count()));
}

// Everybody who comes by a Unix socket, or through a proxy that does not say for whom, has the same address: it is not
// one client's.
std::optional<auth::failed_logins::key> address_key(exchange const& x) {
  auto const& peer = x.client->from;
  bool const is_own_proxy = peer.trusted && x.client_address == peer.text;
  if (is_own_proxy || x.client_address == unix_peer) return std::nullopt;
  return x.worker.shared.login_keys.address(x.client_address);
}

// A form that is sent, or credentials that come with any request.
bool is_attempt(http::request_head const& head) noexcept {
  return !http::is_safe(head.verb) || head.find("Authorization") != nullptr;
}

// A field that says how the body is to be read. Two of them may be two ways.
result<std::string_view> only(http::request_head const& head, std::string_view name) {
  std::string_view value;
  bool seen = false;
  for (auto const& f : head.fields) {
    if (!iequals(f.name, name)) continue;
    if (std::exchange(seen, true)) return errc::bad_request;
    value = f.value;
  }
  return value;
}

// A service that writes sessions itself says so by their cookie. One that it takes away is none that was made.
bool session_was_made(exchange const& x) noexcept {
  if (x.view().config.identity.mode != config::identity_mode::external) return false;
  auto const& name = x.view().config.session.cookie.name;
  return std::ranges::any_of(x.response.fields, [&](auto const& f) {
    return f.id == http::field_id::set_cookie && http::sets_cookie(f.value, name) && !http::ends_cookie(f.value);
  });
}

}  // namespace

login_visit::login_visit(exchange& x)
    : x_(x),
      address_(address_key(x)),
      place_(x.worker.shared.logins, x.worker.turns, x.worker.wheel, address_.value_or(auth::failed_logins::key{})),
      attempt_(is_attempt(x.head)),
      to_form_(names_login_form(x)) {}

result<void> login_visit::refuse(errc why, milliseconds ban) {
  x_.retry_after = whole_seconds(ban);
  return why;
}

// Everybody who is sent away comes back; not all in the same second. On average after the line has moved on once.
errc login_visit::shed(errc why) {
  bool const is_full = why == errc::login_queue_full;
  x_.worker.metrics.login_shed(is_full ? obs::shed_reason::queue_full : obs::shed_reason::queue_timeout);
  x_.retry_after = 1 + static_cast<unsigned>(x_.worker.random.below(2 * whole_seconds(rules(x_).queue_timeout)));
  return why;
}

result<void> login_visit::check_address() {
  if (!attempt_ || !address_) return {};
  auto const ban = x_.worker.shared.failed_by_address.banned_for(*address_, x_.worker.wheel.now());
  return ban.count() > 0 ? refuse(errc::login_address_banned, ban) : result<void>{};
}

result<void> login_visit::check_bans() {
  if (auto r = check_address(); !r || !user_) return r;
  auto const ban = x_.worker.shared.failed_by_user.banned_for(*user_, x_.worker.wheel.now());
  return ban.count() > 0 ? refuse(errc::login_user_banned, ban) : result<void>{};
}

result<void> login_visit::find_user(std::string_view body) {
  auto const type = only(x_.head, "Content-Type");
  if (!type) return type.error();
  auto const coding = only(x_.head, "Content-Encoding");
  if (!coding) return coding.error();
  // Some services undo it, and would read what cannot be read here.
  if (!coding->empty() && !iequals(*coding, "identity")) return errc::bad_request;
  auto const user = auth::find_login_user(*type, x_.query, body, rules(x_).user_field);
  if (!user) return user.error();
  unreadable_ = !user->readable;
  if (user->name) user_ = x_.worker.shared.login_keys.user(*user->name);
  return {};
}

net::task<result<void>> login_visit::enter(std::string_view body) {
  if (attempt_)
    if (auto r = find_user(body); !r) co_return r;
  if (auto r = check_bans(); !r) co_return r;

  if (!place_.enter()) co_return shed(errc::login_queue_full);
  if (place_.admitted()) co_return result<void>{};

  auto const& wheel = x_.worker.wheel;
  auto const began = wheel.now();
  auto const until = began + rules(x_).queue_timeout;
  while (!place_.admitted() && !place_.dismissed() && wheel.now() < until && !x_.client->stream.hung_up())
    co_await place_.called(std::min(until, wheel.now() + between_looks));
  x_.queue_time = wheel.now() - began;

  // A place is not for those who have gone, however short a while ago.
  if (x_.client->stream.hung_up()) co_return errc::client_gone;
  if (place_.dismissed()) co_return shed(errc::login_queue_full);
  if (!place_.admitted()) co_return shed(errc::login_queue_timeout);
  // Others of the same client may have failed meanwhile.
  co_return check_bans();
}

login_visit::verdict login_visit::verdict_of(bool granted) const {
  using enum verdict;
  if (granted) return passed;
  // The service itself knows best.
  if (auto const* said = x_.response.find("Doorward-Attempt")) return iequals(said->value, "failed") ? failed : neither;
  if (!attempt_) return neither;
  // What a page of another site makes its visitors send is not their attempt.
  if (auth::initiator_of(x_.head, x_.view().config.server.public_origin) == auth::initiator::cross_site) return neither;
  auto const status = x_.response.status;
  if (status == 401 || status == 403 || status == 422 || (status == 400 && user_)) return failed;
  if (status >= 400) return neither;
  if (session_was_made(x_)) return passed;
  return !http::is_safe(x_.head.verb) && (to_form_ || user_ || unreadable_) ? failed : neither;
}

void login_visit::judge(bool granted) {
  auto const v = verdict_of(granted);
  if (v == verdict::passed && user_) x_.worker.shared.failed_by_user.forget(*user_);
  if (v != verdict::failed) return;
  x_.worker.metrics.login_failed();
  if (address_) count(obs::banned_by::address, x_.worker.shared.failed_by_address, *address_);
  if (user_) count(obs::banned_by::user, x_.worker.shared.failed_by_user, *user_);
}

void login_visit::count(obs::banned_by kind, auth::failed_logins& failed, auth::failed_logins::key const& who) {
  auto const ban = failed.count(who, x_.worker.wheel.now());
  if (ban.count() == 0) return;
  x_.worker.metrics.login_ban(kind);
  // Each of them: a firewall may live on these lines, and every one has cost somebody many attempts.
  obs::log::warn("login_banned", {{"by", name(kind)},
                                  {"client", x_.client_address},
                                  {"request_id", x_.request_id},
                                  {"seconds", whole_seconds(ban)}});
}

}  // namespace doorward::pipeline
