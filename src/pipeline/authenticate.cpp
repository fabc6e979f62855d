#include "doorward/session/foreign_reader.hpp"
#include "doorward/session/lifetime.hpp"
#include "pipeline/binding.hpp"
#include "pipeline/lookup_count.hpp"
#include "pipeline/stages.hpp"
#include "pipeline/unreadable.hpp"

namespace doorward::pipeline {
namespace {

using obs::lookup_result;
using session::outcome;

struct answer {
  outcome what;
  errc why;  ///< where `what` is not `found`
};

errc reason_of(outcome o, error_code unavailable) noexcept {
  switch (o) {
    case outcome::found: break;
    case outcome::absent: return errc::session_unknown;
    case outcome::ghost: return errc::session_ghost;
    case outcome::malformed: return errc::session_undecodable;
    case outcome::expired: return errc::session_expired;
    case outcome::displaced: return errc::session_displaced;
    case outcome::revoked: return errc::session_revoked;
    case outcome::wrong_type: return errc::session_wrong_type;
    case outcome::unavailable: return to_errc(unavailable);
  }
  return errc::internal;
}

lookup_result label_of(outcome o, session::answered_by from) noexcept {
  switch (o) {
    case outcome::found: return found_by(from);
    case outcome::absent:
    case outcome::expired:
    case outcome::displaced:
    case outcome::revoked: return lookup_result::miss;
    case outcome::ghost:
    case outcome::wrong_type: return lookup_result::ghost;
    case outcome::malformed: return lookup_result::undecodable;
    case outcome::unavailable: return lookup_result::error;
  }
  return lookup_result::error;
}

// One command, or a copy of what one has found, and the limits on it: those hold for a copy as for anything else.
net::task<answer> look_up(exchange& x, std::string_view id) {
  auto const start = steady::now();
  auto lookup = x.worker.store.find(id, x.session);
  auto const o = co_await lookup;
  auto const took = steady::now() - start;
  auto const from = lookup.from();
  if (from != session::answered_by::cache) x.store_time += took;
  if (o == outcome::found && session::past_absolute(x.session, x.view().config.session.lifetime, wall_now())) {
    count_lookup(x.worker.metrics, lookup_result::ghost, from, took);
    x.worker.metrics.session_ended(obs::end_reason::expired);
    co_return answer{outcome::absent, errc::session_expired};
  }
  // It goes on for who has it: whoever took its id must not be able to log that person out.
  if (o == outcome::found && !x.view().config.session.bind.empty() && difference_of(x).any()) {
    count_lookup(x.worker.metrics, lookup_result::elsewhere, from, took);
    co_return answer{outcome::absent, errc::session_elsewhere};
  }
  count_lookup(x.worker.metrics, label_of(o, from), from, took);
  note_unreadable(x, o, lookup.looks_like());
  co_return answer{o, reason_of(o, lookup.why())};
}

bool is_about_session(errc e) noexcept {
  return about(e).from == origin::session;
}

// Only Redis's own word ends a session on the client. "Cannot tell" changes nothing there, nor does a session that is
// alive elsewhere.
bool ends_cookie(exchange const& x, errc why) noexcept {
  // What another program wrote, and cannot be read, may be mended by a word in the configuration.
  bool const unread = why == errc::session_undecodable || why == errc::session_wrong_type;
  if (unread && !session::is_own(x.view().config.session.encoding)) return false;
  return is_about_session(why) && why != errc::session_elsewhere;
}

// Several cookies of our name came: the browser has one from another path or domain, or somebody planted one. As long
// as they name one live user there is no harm; two users are a sign of fixation, and nobody is let in.
net::task<result<void>> look_up_several(exchange& x) {
  std::string_view found;
  std::string user;
  errc last = errc::session_unknown;
  for (std::size_t i = 0; i < x.cookies.count; ++i) {
    auto const id = x.cookies.ids[i];
    auto const a = co_await look_up(x, id);
    if (a.what == outcome::unavailable) co_return a.why;
    if (a.what != outcome::found) {
      if (last != errc::session_elsewhere) last = a.why;
      continue;
    }
    if (!found.empty() && x.session.user() != user) {
      x.expire_cookie = true;
      co_return errc::session_conflict;
    }
    if (found.empty()) {
      found = id;
      user = x.session.user();
    }
  }
  if (found.empty()) {
    x.expire_cookie = ends_cookie(x, last);
    co_return last;
  }
  // The record holds the last one looked at; the first live one counts.
  auto const a = co_await look_up(x, found);
  if (a.what != outcome::found) co_return a.why;
  x.session_id = found;
  co_return result<void>{};
}

net::task<result<void>> resolve(exchange& x) {
  // The one that counts may be among those that are not looked at: nobody can say who this is.
  if (x.cookies.too_many) co_return errc::session_conflict;
  // The application would choose among the values, and not as is done here: it decodes some that are none to us.
  if (x.cookies.several && x.view().config.session.cookie.shared) co_return errc::session_conflict;
  if (x.cookies.count > 1) {
    auto several = co_await look_up_several(x);
    co_return several;
  }
  auto const a = co_await look_up(x, x.cookies.ids[0]);
  if (a.what == outcome::found) {
    x.session_id = x.cookies.ids[0];
    co_return result<void>{};
  }
  x.expire_cookie = ends_cookie(x, a.why);
  co_return a.why;
}

// No cookie came that Redis could be asked about.
errc nothing_to_ask(exchange const& x) noexcept {
  if (!x.cookies.present) return errc::no_session;
  auto const forged = x.cookies.trouble && *x.cookies.trouble != http::signature_trouble::malformed;
  return forged ? errc::session_forged : errc::session_malformed;
}

}  // namespace

net::task<result<void>> authenticate(exchange& x) {
  auto const mode = x.route->config.auth;
  if (mode == config::auth_mode::none) co_return result<void>{};
  auto const optional = mode == config::auth_mode::optional;

  if (x.cookies.count == 0) {
    if (x.cookies.present) x.worker.metrics.lookup(lookup_result::malformed);
    if (optional) co_return result<void>{};
    co_return nothing_to_ask(x);
  }

  auto const found = co_await resolve(x);
  if (!found) {
    auto const why = to_errc(found.error());
    x.session.clear();
    // An expired session must not break a public page; an outage might hide somebody, so it does.
    if (optional && is_about_session(why)) co_return result<void>{};
    co_return why;
  }

  if (mode != config::auth_mode::passive && !x.passive && !x.dry_run &&
      session::needs_touch(x.session, x.view().config.session.lifetime, wall_now()))
    x.worker.store.touch(x.session_id);
  co_return result<void>{};
}

}  // namespace doorward::pipeline
