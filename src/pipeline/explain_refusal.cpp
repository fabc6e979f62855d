#include "pipeline/explain_refusal.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "doorward/auth/request_checks.hpp"
#include "doorward/base/utf8.hpp"
#include "doorward/config/words.hpp"
#include "doorward/http/host.hpp"
#include "doorward/http/path_pattern.hpp"
#include "pipeline/explain_request.hpp"
#include "pipeline/own.hpp"
#include "pipeline/stages.hpp"
#include "pipeline/step_up.hpp"

namespace doorward::pipeline {
namespace {

using runtime::route_target;

std::string join(std::vector<std::string> const& words, std::string_view separator = ", ") {
  return fmt::format("{}", fmt::join(words, separator));
}

std::string one_of(std::vector<std::string> const& words) {
  return words.size() == 1 ? words.front() : "one of " + join(words);
}

bool takes(config::route_config const& r, std::string_view method) {
  auto const listed = [&](std::string_view name) { return std::ranges::find(r.methods, name) != r.methods.end(); };
  return r.methods.empty() || listed(method) || (method == "HEAD" && listed("GET"));
}

// Why a route was passed over; empty when it is the one.
std::string passed_over(exchange const& x, config::route_config const& r, std::string_view path) {
  if (!http::path_pattern(r.path).matches(path)) return "another path";
  if (!http::host_matches(r.host, x.host))
    return fmt::format("the path is right, but it is for host {}, and not for `{}`", r.host, x.host);
  if (!takes(r, x.head.method_token))
    return fmt::format("host and path are right, but it is for {}, and not for {}", join(r.methods),
                       x.head.method_token);
  return {};
}

// Route by route and reading by reading: the table that serves requests knows only the result.
std::string reading_leads_to(exchange const& x, std::string_view path) {
  if (path == http::unreadable_path) return "a server may make anything of it";
  for (auto const& r : x.view().routes)
    if (passed_over(x, r.config, path).empty()) return "route " + r.config.id;
  return "no route";
}

void explain_tried(exchange const& x, explanation& out) {
  for (auto const& r : x.view().routes)
    out.say("tried", fmt::format("{}  ({}): {}", r.config.id, route_place(x, r.config),
                                 passed_over(x, r.config, x.path.text())));
}

void explain_method(exchange const& x, explanation& out) {
  if (x.head.verb == http::method::trace) return out.say("method", "TRACE is refused on every path");
  if (x.route == nullptr) explain_tried(x, out);
  out.say("allowed methods", allowed_methods(x));
}

void explain_ambiguous(exchange const& x, explanation& out) {
  auto const text = x.path.text();
  if (x.route != nullptr) {
    auto const& c = x.route->config;
    auto const what = c.rewrite.empty() ? "strip_prefix " + c.strip_prefix : "rewrite " + c.rewrite;
    return out.say("because", what + " would not be the same change to every reading of the path");
  }
  out.say("reading", fmt::format("{}: {}", text, reading_leads_to(x, text)));
  for (auto const& reading : x.path.readings())
    out.say("reading", fmt::format("{}: {}", reading, reading_leads_to(x, reading)));
  if (auto const decoded = http::decode_reserved(text); decoded != text)
    out.say("reading", fmt::format("{}: {}", decoded, reading_leads_to(x, decoded)));
}

std::string site_trouble(exchange const& x) {
  auto const& origin = x.view().config.server.public_origin;
  auto const& ours = origin.empty() ? x.head.host : std::string_view(origin);
  if (auto const* f = x.head.find("Sec-Fetch-Site")) return fmt::format("Sec-Fetch-Site is {}", f->value);
  for (auto const* name : {"Origin", "Referer"})
    if (auto const* f = x.head.find(name)) return fmt::format("{} is {}, and this is {}", name, f->value, ours);
  return "neither Sec-Fetch-Site nor Origin nor Referer says where it was made";
}

void explain_csrf(exchange const& x, explanation& out) {
  if (x.route->to == route_target::logout && x.head.verb == http::method::get)
    return out.say("because", fmt::format("GET logs out only a person on a page of this origin; {}{}", site_trouble(x),
                                          x.navigation ? "" : ", and this is no navigation"));
  out.say("because", fmt::format("another site made this request: {}", site_trouble(x)));
}

// The headers can say it, so it is the assertion that cannot.
void explain_assertion(exchange const& x, explanation& out) {
  auto const& fields = x.view().fields;
  for (auto const f : {session::field::user, session::field::roles, session::field::acr})
    if (auto const text = x.session.get(f);
        !is_utf8(text) || text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos)
      out.say("because", fmt::format("the assertion cannot say {}: it is not UTF-8, or holds a line end or a NUL",
                                     fields.name(fields.at(f))));
}

void explain_identity(exchange const& x, explanation& out) {
  auto const& names = x.view().config.headers;
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (auto const& part : x.view().headers[i].parts) {
      if (!part.is_field) continue;
      auto const field = x.view().fields.name(part.slot);
      if (x.session.has(part.slot)) {
        auto const bad = x.session.get(part.slot).find_first_of(std::string_view("\r\n\0", 3));
        if (bad == std::string_view::npos) continue;
        return out.say("because", fmt::format("header {} takes {{{}}}, which holds a line end or a NUL at byte {}",
                                              names[i].name, field, bad));
      }
      if (part.optional) break;  // the header is left out
      return out.say("because", fmt::format("header {} needs {{{}}}, a field that the session does not have",
                                            names[i].name, field));
    }
  }
  if (x.worker.assertions.on()) explain_assertion(x, out);
}

std::string signature_trouble(exchange const& x) {
  if (x.worker.envelopes.on()) return "no value of the cookie is a JWT that session.envelope takes";
  if (x.view().encoded_ids.on())
    return "no value of the cookie has a signature by one of session.cookie.keys, the application's secrets";
  switch (x.cookies.trouble.value_or(http::signature_trouble::malformed)) {
    case http::signature_trouble::missing:
      return "it has no signature, and session.cookie.keys wants one; the cookie holds more than the id then";
    case http::signature_trouble::unknown_key:
      return "it was signed with a key that is not among session.cookie.keys; theirs have the kids " +
             join(x.view().ids.kids());
    default: return "its signature is not that of the key it names";
  }
}

std::string session_trouble(exchange const& x, errc why) {
  auto const& session = x.view().config.session;
  switch (why) {
    case errc::no_session:
      if (x.cookies.count > 0) return "`require` wants a login, and what came is no session (any more)";
      return fmt::format("the route wants a session, and no cookie {} came", session.cookie.name);
    case errc::session_malformed:
      if (x.view().encoded_ids.on())
        return fmt::format("no value of the cookie is what `session.cookie.codec: {}` makes of a session id",
                           config::word_for(session.cookie.codec));
      return session.layout == config::key_layout::plain
                 ? "a session id has 16 to 256 characters of A-Z a-z 0-9 . _ ~ -"
                 : "a session id has 16 to 256 characters of A-Z a-z 0-9 . _ ~ -, and with `layout: tagged` it begins "
                   "with four of 0-9 a-f and a dot";
    case errc::session_forged: return signature_trouble(x);
    case errc::session_unknown: return "Redis has no such session";
    case errc::session_ghost: return fmt::format("the record has no field {}", session.fields.user);
    case errc::session_undecodable:
      return fmt::format(
          "the record is not what `session.encoding: {}` says, or contradicts itself; it looks like {}: {}",
          config::word_for(session.encoding), session::describe(x.looks_like),
          session::hint_for(session.encoding, session::outcome::malformed, x.looks_like));
    case errc::session_wrong_type:
      return std::string(session::hint_for(session.encoding, session::outcome::wrong_type, x.looks_like));
    case errc::session_expired: return fmt::format("it is older than may be, by {}", session.fields.created);
    case errc::session_elsewhere: return "the session is bound to where its user logged in, and is not ended";
    case errc::session_conflict: return "the cookies name two users, or are too many to look at";
    default: return {};
  }
}

void explain_session(exchange const& x, errc why, explanation& out) {
  if (is_step_up(why))
    explain_require(x, out);
  else
    out.say("because", session_trouble(x, why));
  if (x.route->config.unauthenticated == config::unauthenticated_action::automatic && !x.navigation)
    out.say("login page", "not offered: only navigations are sent there (GET with `Accept: text/html`)");
}

}  // namespace

std::string route_place(exchange const& x, config::route_config const& r) {
  auto const where = r.where.line > 0 ? fmt::format("{}:{}", x.view().config.file, r.where.line) : "built in";
  return r.path + ", " + where;
}

std::string redis_trouble(runtime::worker const& w) {
  auto const kind = w.redis.trouble();
  auto const& server = w.view.config.redis.server.text;
  if (!kind) return server + (w.redis.connected() ? ": no answer in time" : ": not connected");
  auto const hint = redis::hint(*kind);
  return fmt::format("{}: {}{}{}", server, redis::name(*kind), hint.empty() ? "" : "; ", hint);
}

void explain_allow(exchange const& x, explanation& out) {
  auto const& rule = x.route->config.allow;
  auto const say = [&](std::string_view field, std::vector<std::string> const& wanted, bool present,
                       std::string_view has, bool holds) {
    auto const there = !x.authenticated() ? "nobody is logged in"
                       : present          ? fmt::format("it is {}", has)
                                          : "the session does not have it";
    out.say("allow", fmt::format("{} must be {}: {}, {}", field, one_of(wanted), there,
                                 holds ? "which holds" : "which does not hold"));
  };
  auto const& fields = x.view().fields;
  if (!rule.roles.empty()) {
    auto const slot = fields.at(session::field::roles);
    say(fields.name(slot), rule.roles, x.session.has(slot), x.session.roles(), has_allowed_role(x));
  }
  for (auto const& f : x.route->fields)
    say(fields.name(f.slot), f.values, x.session.has(f.slot), x.session.get(f.slot), has_allowed_value(x, f));
}

void explain_refusal(exchange const& x, errc why, explanation& out) {
  switch (why) {
    case errc::no_route: return explain_tried(x, out);
    case errc::method_not_allowed: return explain_method(x, out);
    case errc::ambiguous_path: return explain_ambiguous(x, out);
    case errc::body_too_large:
      return out.say("body", fmt::format("{} bytes; this route takes {}", x.head.content_length, x.route->body_limit));
    case errc::forbidden: return explain_allow(x, out);
    case errc::csrf: return explain_csrf(x, out);
    case errc::bad_identity: return explain_identity(x, out);
    case errc::forward_auth_untrusted:
      return out.say(
          "because",
          "only a proxy in server.trusted_proxies may ask that, and it is answered about the request it has: "
          "let `explain` tell about that one");
    default: break;
  }
  switch (about(why).from) {
    case origin::store: return out.say("redis", redis_trouble(x.worker));
    case origin::session: return explain_session(x, why, out);
    default: return explain_request(x, why, out);
  }
}

}  // namespace doorward::pipeline
