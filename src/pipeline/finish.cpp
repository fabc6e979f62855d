#include "doorward/auth/request_checks.hpp"
#include "doorward/base/encoding.hpp"
#include "pipeline/own.hpp"
#include "pipeline/stages.hpp"
#include "pipeline/step_up.hpp"

namespace doorward::pipeline {
namespace {

// What a saturated or unreachable part is given before it is asked again.
constexpr unsigned retry_after_seconds = 1;

// Why somebody who was logged in is not any more, for the login page to say; empty where there is nothing to say.
std::string_view reason_to_tell(errc why) noexcept {
  switch (why) {
    case errc::session_expired:
    case errc::session_displaced:
    case errc::session_revoked: return about(why).code;
    default: return {};
  }
}

// What is asked for again after the login; empty where nothing can be.
std::string way_back(exchange const& x, errc why) {
  // A login that fell short: where it was to lead, and not the login.
  if (x.route != nullptr && x.route->to == runtime::route_target::login && is_step_up(why))
    return destination_after_login(x);
  if (!http::is_safe(x.head.verb)) return {};
  std::string next(x.path.text());
  if (x.has_query) {
    next += '?';
    next += x.query;
  }
  return http::is_local_return_path(next) ? next : std::string{};
}

std::string login_address(exchange const& x, errc why) {
  auto const next = way_back(x, why);
  if (next.empty()) return x.view().config.identity.login;
  std::string link = x.view().login_prefix;
  append_query_encoded(link, next);
  return link;
}

// A form was sent by a person, who is to see a page, whatever became of it: that of a login, and the buttons on the
// page of sessions.
bool is_seen_by_a_person(exchange const& x, errc why) {
  if (x.navigation) return true;
  if (x.route == nullptr) return false;
  if (x.route->to == runtime::route_target::sessions) return auth::asks_for_page(x.head);
  switch (why) {
    case errc::session_limit:
    case errc::session_revoked:
    case errc::session_too_weak:
    case errc::session_too_old:
    case errc::login_address_banned:
    case errc::login_user_banned:
    case errc::login_queue_full:
    case errc::login_queue_timeout: return x.route->to == runtime::route_target::login && auth::asks_for_page(x.head);
    case errc::session_elsewhere: return x.route->to == runtime::route_target::logout && auth::asks_for_page(x.head);
    default: return false;
  }
}

// The wait for a place is worth another try.
bool is_busy(errc why) noexcept {
  return why == errc::login_queue_full || why == errc::login_queue_timeout;
}

std::string login_link(exchange const& x, errc why, config::step_up_rule const& wanted) {
  auto link = login_address(x, why);
  append_step_up(link, wanted);
  if (auto const reason = reason_to_tell(why); !reason.empty()) append_parameter(link, "reason", reason);
  return link;
}

// What stands before the path in a redirect that a proxy passes on: some would complete it with our own address.
std::string origin_for_proxy(exchange const& x) {
  auto const scheme = x.proxy.scheme.empty() ? std::string_view(x.view().public_scheme) : x.proxy.scheme;
  if (!x.proxy.asked || scheme.empty()) return {};
  return std::string(scheme).append("://").append(x.head.host);
}

net::task<> answer_refusal(exchange& x, errc why) {
  // A shared cookie is the application's: it may hold a session there that is none here, because nobody is logged in.
  if (x.expire_cookie && !x.view().config.session.cookie.shared) x.set_cookie = x.view().expire_cookie;
  auto const for_proxy = is_asked_by_proxy(x);
  // What is wrong with a request that a proxy asks about is nothing that its own connection suffers from.
  if (about(why).close && !x.proxy.asked) x.close = true;
  auto& out = x.worker.out;
  auto status = for_proxy ? status_for_proxy(about(why).status) : about(why).status;
  auto const to_login = goes_to_login(x, why);
  if (to_login && (!for_proxy || x.proxy.redirects)) {
    status = 302;
    x.decision = obs::decision::redirect;
    auto const link = origin_for_proxy(x) + login_link(x, why, wanted_of_login(x, why));
    auto const context = begin_answer(x);
    out.clear();
    append_redirect(out, context, status, link);
  } else {
    x.decision = why;
    refusal r;
    r.why = why;
    r.is_navigation = is_seen_by_a_person(x, why);
    r.retry_after = x.retry_after > 0 ? x.retry_after : retry_after_seconds;
    r.tries_again = is_busy(why);
    r.names_login = to_login;
    r.status = for_proxy ? status : 0;
    std::string link;
    std::string challenge;
    std::string allow;
    if (status == 401) {
      auto const wanted = wanted_of_login(x, why);
      r.login_link = link = login_link(x, why, wanted);
      r.challenge = challenge = step_up_challenge(wanted, why);
    }
    if (status == 405) r.allow = allow = allowed_methods(x);
    auto const context = begin_answer(x);
    out.clear();
    append_refusal(out, context, r);
  }
  auto const sent = co_await send_own(x, status);
  if (!sent) x.close = true;
}

void count(exchange const& x, std::chrono::nanoseconds total) {
  auto& m = x.worker.metrics;
  auto const route = x.route_index;
  m.request(route, x.head.verb, x.status, x.decision, total);
  m.overhead(total - x.store_time - x.queue_time - x.upstream_time - x.client_time);
}

void log(exchange const& x, std::chrono::nanoseconds total) {
  if (!x.view().config.log.access) return;
  auto const us = [](std::chrono::nanoseconds t) {
    return std::chrono::duration_cast<std::chrono::microseconds>(t).count();
  };
  std::array<char, 8> session{};
  obs::access_record r;
  r.time = wall_now();
  r.request_id = x.request_id;
  if (x.traceparent.size() >= 35) r.trace_id = x.traceparent.substr(3, 32);
  r.client = x.client_address;
  r.method = x.head.method_token;
  r.host = x.host;
  r.path = x.path.text();
  if (x.route != nullptr) r.route = x.route->config.id;
  if (x.authenticated()) {
    session = sha256_prefix(x.session_id);
    r.session = {session.data(), session.size()};
    r.user = x.session.user();
  }
  r.decision = x.decision.name();
  if (x.session_end)
    r.reason = obs::name(*x.session_end);
  else if (x.refused)
    r.reason = about(*x.refused).reason;
  r.status = x.status;
  r.bytes_in = x.client->body_bytes() + x.tunnel_bytes_in;
  r.bytes_out = x.bytes_out;
  r.total_us = us(total);
  r.store_us = us(x.store_time);
  r.upstream_us = us(x.upstream_time);
  x.worker.access_log.write(r);
}

}  // namespace

std::string allowed_methods(exchange const& x) {
  std::string all;
  if (x.head.verb == http::method::trace) return "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
  auto const add = [&](std::string_view m) {
    if (!all.empty()) all += ", ";
    all += m;
  };
  if (x.route != nullptr) {
    for (auto const m : x.route->own_methods)
      add(http::to_string(m));
    return all;
  }
  for (auto const& m : x.view().table.allowed_methods({x.head.method_token, x.host, x.path}))
    add(m);
  return all;
}

bool goes_to_login(exchange const& x, errc why) noexcept {
  if (about(why).status != 401 || x.route == nullptr) return false;
  switch (x.route->config.unauthenticated) {
    case config::unauthenticated_action::automatic: return x.navigation;
    case config::unauthenticated_action::redirect: return true;
    case config::unauthenticated_action::reject: return false;
  }
  return false;
}

net::task<> finish(exchange& x) {
  if (x.refused) {
    if (*x.refused == errc::client_gone) {
      x.close = true;
      x.decision = errc::client_gone;
      if (!x.answered) x.status = about(errc::client_gone).status;
    } else if (x.answered) {
      // Half an answer is out. Only a broken connection can still tell the client so.
      x.close = true;
      x.decision = *x.refused;
    } else {
      co_await answer_refusal(x, *x.refused);
    }
  }
  auto const total = steady::now() - x.began;
  count(x, total);
  log(x, total);
  if (!x.close) {
    bool const clean = co_await x.client->discard_body();
    if (!clean) x.close = true;
  }
}

}  // namespace doorward::pipeline
