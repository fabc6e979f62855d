#include <nlohmann/json.hpp>

#include "doorward/auth/request_checks.hpp"
#include "doorward/session/key.hpp"
#include "pipeline/own.hpp"
#include "pipeline/sessions_page.hpp"
#include "pipeline/store_clock.hpp"

namespace doorward::pipeline {
namespace {

constexpr std::string_view here = "/.doorward/sessions";

using sessions = std::vector<session::listed_session>;

std::string own_key(exchange const& x) {
  return session::key_of(x.view().config.session, x.session_id);
}

std::string as_json(exchange const& x, sessions const& all) {
  using json = nlohmann::ordered_json;
  auto list = json::array();
  auto const own = own_key(x);
  for (auto const& s : all) {
    json one{{"handle", s.handle}, {"current", s.key == own}};
    if (s.created) one["created_at"] = *s.created;
    if (s.last_seen) one["last_seen"] = *s.last_seen;
    if (s.left) one["ends_in"] = s.left->count() / 1000;
    one["address"] = s.address;
    one["device"] = s.device;
    list.push_back(std::move(one));
  }
  // A field that is not UTF-8 is shown with replacement characters rather than not at all.
  return json{{"sessions", std::move(list)}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

net::task<result<void>> show(exchange& x) {
  std::string user(x.session.user());
  result<sessions> all = sessions{};
  {
    store_clock const clock(x);
    all = co_await x.worker.store.list(std::move(user));
  }
  if (!all) co_return all.error();
  auto& out = x.worker.out;
  if (x.navigation) {
    auto const page = sessions_page(*all, own_key(x), wall_now());
    out.clear();
    append_html(out, begin_answer(x), 200, page, sessions_page_style, true);
  } else {
    auto const text = as_json(x, *all);
    out.clear();
    append_json(out, begin_answer(x), 200, text);
  }
  auto r = co_await send_own(x, 200);
  co_return r;
}

/// What a request wants to end.
struct wish {
  enum class kind { nothing, one, others, all };
  kind what = kind::nothing;
  std::string_view handle;
};

wish wish_of(exchange const& x) {
  auto const path = x.path.text();
  if (path.size() > here.size() + 1) return {wish::kind::one, path.substr(here.size() + 1)};
  std::string value;
  if (http::query_parameter(x.query, "others", value) && value == "1") return {wish::kind::others, {}};
  if (http::query_parameter(x.query, "all", value) && value == "1") return {wish::kind::all, {}};
  return {};
}

// One of the user's own, by its handle. no_route when there is none (any more): of other people's nothing is said.
net::task<result<std::uint64_t>> end_one(exchange& x, std::string_view handle) {
  std::string const user(x.session.user());
  auto const all = co_await x.worker.store.list(user);
  if (!all) co_return all.error();
  for (auto const& s : *all) {
    if (s.handle != handle) continue;
    if (s.key == own_key(x)) {
      auto own = co_await x.worker.store.end(std::string(x.session_id));
      if (own) x.set_cookie = x.view().expire_cookie;
      co_return own;
    }
    auto ended = co_await x.worker.store.revoke(user, s.key);
    co_return ended;
  }
  co_return errc::no_route;
}

// What the sessions that have ended have open, on any worker, ends now.
void tell_streams(exchange& x, bool own_too) {
  auto& news = x.worker.shared.revocations;
  if (own_too) news.of_session(x.session_id, obs::stream_end::logout);
  news.of_user(x.session.user());
}

net::task<result<void>> end_wished(exchange& x) {
  auto const w = wish_of(x);
  result<std::uint64_t> ended = errc::bad_request;
  {
    store_clock const clock(x);
    std::string id(x.session_id);
    switch (w.what) {
      case wish::kind::nothing: break;
      case wish::kind::one: ended = co_await end_one(x, w.handle); break;
      case wish::kind::others: ended = co_await x.worker.store.end_others(std::move(id)); break;
      case wish::kind::all:
        ended = co_await x.worker.store.end_all(std::move(id));
        // This one has ended since it was looked up, and did not say any more whose the others are.
        if (ended && *ended == 0) ended = co_await x.worker.store.end_user(std::string(x.session.user()));
        break;
    }
  }
  if (!ended) co_return ended.error();
  if (*ended > 0) tell_streams(x, w.what == wish::kind::all || !x.set_cookie.empty());
  x.worker.metrics.session_ended(w.what == wish::kind::all ? obs::end_reason::everywhere : obs::end_reason::revoked,
                                 *ended);
  bool const out_now = w.what == wish::kind::all || !x.set_cookie.empty();
  if (out_now) x.set_cookie = x.view().expire_cookie;

  auto const page = auth::asks_for_page(x.head);
  auto& out = x.worker.out;
  out.clear();
  if (page)
    append_redirect(out, begin_answer(x), 303, out_now ? std::string_view(x.view().config.identity.login) : here);
  else
    append_status(out, begin_answer(x), 204);
  auto r = co_await send_own(x, page ? 303 : 204);
  co_return r;
}

}  // namespace

net::task<result<void>> serve_sessions(exchange& x) {
  if (!takes_method(x)) co_return errc::method_not_allowed;
  // Other programs' sessions are in no index, so nobody knows which are a user's.
  if (!session::is_own(x.view().config.session.encoding)) co_return errc::no_route;
  if (http::is_safe(x.head.verb)) {
    auto shown = co_await show(x);
    co_return shown;
  }
  auto ended = co_await end_wished(x);
  co_return ended;
}

}  // namespace doorward::pipeline
