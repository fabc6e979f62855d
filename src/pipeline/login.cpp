#include "doorward/auth/grant.hpp"
#include "doorward/auth/request_checks.hpp"
#include "doorward/base/encoding.hpp"
#include "doorward/http/device.hpp"
#include "doorward/obs/log.hpp"
#include "doorward/session/binding.hpp"
#include "doorward/session/key.hpp"
#include "pipeline/binding.hpp"
#include "pipeline/step_up.hpp"
#include "pipeline/store_clock.hpp"
#include "pipeline/upstream_exchange.hpp"

namespace doorward::pipeline {
namespace {

// The two fields a grant comes in. Twice is one too many: which one counts?
struct grant_fields {
  std::string_view json;
  std::string_view options;
  unsigned grants = 0;
  unsigned option_fields = 0;
};

grant_fields find_grant(http::response_head const& head) {
  grant_fields found;
  for (auto const& f : head.fields) {
    if (iequals(f.name, "Doorward-Grant")) {
      found.json = f.value;
      ++found.grants;
    } else if (iequals(f.name, "Doorward-Grant-Options")) {
      found.options = f.value;
      ++found.option_fields;
    }
  }
  return found;
}

std::chrono::seconds cookie_life(auth::grant const& g, config::session_lifetime const& lifetime) noexcept {
  // Without "remember me" the cookie ends with the browser, and the session by Redis's clock.
  if (!g.remember) return {};
  return g.absolute.value_or(lifetime.remember_absolute);
}

// The grant's fields, and what its options say of the login. Without a time the record's own, its creation, says it.
std::vector<std::pair<std::string, std::string>> fields_of(auth::grant const& g) {
  auto fields = g.fields;
  if (g.acr.value_or(0) > 0) fields.emplace_back(session::acr_name, std::to_string(*g.acr));
  if (g.auth_time) fields.emplace_back(session::auth_time_name, std::to_string(*g.auth_time));
  return fields;
}

std::string_view user_of(auth::grant const& g, std::string const& field) noexcept {
  for (auto const& [name, value] : g.fields)
    if (name == field) return value;
  return {};  // parse_grant has seen to it that there is one
}

// The sessions that came with the login and go by it. Those from elsewhere stay, unless they are this user's own: a
// login of somebody else must not be a way to end them.
net::task<result<std::vector<std::string_view>>> sessions_to_replace(exchange& x, std::string_view user) {
  std::vector<std::string_view> ids;
  for (std::size_t i = 0; i < x.cookies.count; ++i) {
    auto const it = co_await look_at_presented(x, x.cookies.ids[i]);
    if (!it) co_return it.error();
    if (!it->elsewhere || it->user == user) ids.push_back(x.cookies.ids[i]);
  }
  co_return ids;
}

// One browser, one session: whatever came with the login ends by it, so that nobody who planted or kept an old id gets
// into the new login. They go in the same step as the new one comes.
net::task<result<void>> store_session(exchange& x, auth::grant const& g, std::string_view user, std::string const& id) {
  auto const replaced = co_await sessions_to_replace(x, user);
  if (!replaced) co_return replaced.error();
  session::new_session s;
  s.id = id;
  auto const fields = fields_of(g);
  s.fields = fields;
  s.replaces = *replaced;
  s.remember = g.remember;
  s.idle = g.idle;
  s.absolute = g.absolute;
  s.revoke_others = g.revoke_others;
  // What is on its way to Redis ages there; a reply that takes longer than the time limit is none.
  s.began_ago = std::chrono::ceil<milliseconds>(steady::now() - x.began) + x.view().config.redis.command_timeout;
  s.address = x.client_address;
  auto const* agent = x.head.find("User-Agent");
  auto const agent_text = agent == nullptr ? std::string_view{} : agent->value;
  auto const device = http::device_name(agent_text);
  auto const digest = session::agent_digest(agent_text);
  s.device = device;
  s.device_class = http::device_class(agent_text);
  s.agent = {digest.data(), digest.size()};
  auto const made = co_await x.worker.store.create(s);
  if (!made) co_return made.error();
  x.worker.metrics.session_created();
  x.worker.metrics.session_ended(obs::end_reason::replaced, made->replaced);
  x.worker.metrics.session_ended(obs::end_reason::revoked, made->revoked);
  x.worker.metrics.session_ended(obs::end_reason::displaced, made->displaced);
  // What those have open, on any worker, ends now.
  auto& news = x.worker.shared.revocations;
  for (auto const old : s.replaces)
    news.of_session(old, obs::stream_end::replaced);
  if (made->revoked + made->displaced > 0) news.of_user(user);
  co_return result<void>{};
}

}  // namespace

net::task<result<granted>> apply_grant(exchange& x) {
  auto const fields = find_grant(x.response);
  if (fields.grants == 0 && fields.option_fields == 0) co_return granted{};
  auto const good_answer = x.response.status >= 200 && x.response.status < 400;
  if (!good_answer || x.view().config.identity.mode == config::identity_mode::external) {
    x.worker.metrics.reserved_headers_stripped(fields.grants + fields.option_fields);
    co_return granted{};
  }
  if (fields.grants != 1 || fields.option_fields > 1) co_return errc::bad_grant;

  auto const g = auth::parse_grant(fields.json, fields.options, x.view().config.session.fields.user);
  if (!g) co_return g.error();
  auto const user = user_of(*g, x.view().config.session.fields.user);
  auto const id = session::new_id(x.view().config.session, user);
  result<void> stored;
  {
    store_clock const clock(x);
    stored = co_await store_session(x, *g, user, id);
  }
  if (!stored) co_return stored.error();

  x.set_cookie = x.view().session_cookie(id, cookie_life(*g, x.view().config.session.lifetime));
  granted done{true, {}, {}};
  if (!auth::asks_for_page(x.head)) co_return done;
  auto const goes_to = destination_after_login(x);
  auto const now = wall_now();
  done.falls_short = shortfall(wanted_at(x, goes_to), {g->acr.value_or(0), g->auth_time.value_or(now)}, now);
  if (x.response.find(http::field_id::location) == nullptr) done.redirect_to = goes_to;
  co_return done;
}

}  // namespace doorward::pipeline
