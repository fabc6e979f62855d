#include "pipeline/own.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "doorward/auth/request_checks.hpp"
#include "doorward/session/lifetime.hpp"
#include "pipeline/binding.hpp"

namespace doorward::pipeline {

answer_context begin_answer(exchange& x) {
  // What is still to come of the body is read into nowhere only if it is sure to be little; else the connection ends.
  if (!x.client->body_rest_is_small()) x.close = true;
  auto const head = x.proxy.asked ? x.proxy.with_head : x.head.verb == http::method::head;
  return {x.request_id, x.worker.date, head, x.close, x.head.minor_version == 0, x.set_cookie, hsts_line(x)};
}

// Over plain http it must not be said (RFC 6797 section 7.2).
std::string_view hsts_line(exchange const& x) noexcept {
  return x.client->from.tls ? std::string_view(x.view().hsts_line) : std::string_view{};
}

net::task<result<void>> redirect_to_https(exchange& x) {
  x.decision = obs::decision::redirect;
  std::string to;
  if (x.view().public_scheme == "https")
    to = x.view().config.server.public_origin;
  else if (!x.host.empty())
    to = "https://" + x.host;
  else
    co_return errc::bad_request;  // HTTP/1.0 without a Host
  to += x.path.text();
  if (x.has_query) (to += '?') += x.query;
  // 308 would repeat a request whose body has crossed the wire in the clear; but 301 would lose it.
  auto const status = http::is_safe(x.head.verb) ? 301U : 308U;
  auto& out = x.worker.out;
  out.clear();
  append_redirect(out, begin_answer(x), status, to);
  auto r = co_await send_own(x, status);
  co_return r;
}

net::task<result<void>> send_own(exchange& x, unsigned status) {
  auto const& out = x.worker.out;
  auto const head_end = out.find("\r\n\r\n");
  x.status = status;
  x.answered = true;
  x.bytes_out = out.size() - (head_end + 4);
  return x.client->send_all(out);
}

bool takes_method(exchange const& x) noexcept {
  auto const& methods = x.route->own_methods;
  return methods.empty() || std::ranges::find(methods, x.head.verb) != methods.end();
}

net::task<result<void>> log_out(exchange& x) {
  x.decision = obs::decision::logout;
  if (!takes_method(x)) co_return errc::method_not_allowed;

  std::string everywhere;
  auto const all = http::query_parameter(x.query, "everywhere", everywhere) && everywhere == "1";
  // Other programs' sessions are in no index: the others cannot be found, and saying that they have ended would be
  // wrong.
  if (all && !session::is_own(x.view().config.session.encoding)) co_return errc::no_route;
  auto const began = steady::now();
  std::size_t elsewhere = 0;
  for (std::size_t i = 0; i < x.cookies.count; ++i) {
    std::string id(x.cookies.ids[i]);
    auto const it = co_await look_at_presented(x, id);
    if (!it) co_return it.error();
    if (it->elsewhere) {
      ++elsewhere;
      continue;
    }
    if (all) {
      // Whose it is: what the user's other sessions have open is found by that. Redis's word on the end of them counts,
      // and this one does not.
      auto lookup = x.worker.store.find(id, x.session);
      auto const found = co_await lookup;
      std::string const user(found == session::outcome::found ? x.session.user() : std::string_view{});
      x.session.clear();
      auto ended = co_await x.worker.store.end_all(id);
      // The one that came has ended since it was looked up, and did not say any more whose the others are.
      if (ended && *ended == 0 && !user.empty()) ended = co_await x.worker.store.end_user(user);
      // Not done is not done: the person is still logged in, and is told so.
      if (!ended) co_return ended.error();
      x.worker.metrics.session_ended(obs::end_reason::everywhere, *ended);
      x.worker.shared.revocations.of_session(id, obs::stream_end::logout);
      if (*ended > 0) x.worker.shared.revocations.of_user(user);
    } else {
      auto const ended = co_await x.worker.store.end(id);
      if (!ended) co_return ended.error();
      x.worker.shared.revocations.of_session(id, obs::stream_end::logout);
      if (*ended) x.worker.metrics.session_ended(obs::end_reason::logout);
    }
  }
  x.store_time += steady::now() - began;
  // It goes on for who has it; saying that all is done would be wrong.
  if (elsewhere > 0 && elsewhere == x.cookies.count) co_return errc::session_elsewhere;

  if (x.cookies.present) x.set_cookie = x.view().expire_cookie;
  auto& out = x.worker.out;
  out.clear();
  auto const page = auth::asks_for_page(x.head);
  if (page)
    append_redirect(out, begin_answer(x), 303, x.view().config.identity.login);
  else
    append_status(out, begin_answer(x), 204);
  auto r = co_await send_own(x, page ? 303 : 204);
  co_return r;
}

net::task<result<void>> tell_who(exchange& x) {
  if (!takes_method(x)) co_return errc::method_not_allowed;
  nlohmann::ordered_json who;
  who["user"] = x.session.user();
  auto& roles = who["roles"] = nlohmann::ordered_json::array();
  http::for_each_token(x.session.roles(), [&](std::string_view role) { roles.push_back(role); });
  if (auto const t = session::parse_time(x.session.get(session::field::created))) who["created_at"] = *t;
  if (auto const t = session::parse_time(x.session.get(session::field::last_seen))) who["last_seen"] = *t;
  if (auto const t = session::absolute_end(x.session, x.view().config.session.lifetime)) who["ends_at"] = *t;

  auto& out = x.worker.out;
  out.clear();
  // A field that is not UTF-8 is shown with replacement characters rather than not at all.
  append_json(out, begin_answer(x), 200, who.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  auto r = co_await send_own(x, 200);
  co_return r;
}

net::task<result<void>> respond(exchange& x) {
  x.decision = obs::decision::respond;
  auto& out = x.worker.out;
  out.clear();
  append_status(out, begin_answer(x), *x.route->config.respond, x.navigation);
  auto r = co_await send_own(x, *x.route->config.respond);
  co_return r;
}

}  // namespace doorward::pipeline
