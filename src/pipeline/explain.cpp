#include "doorward/pipeline/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "doorward/base/encoding.hpp"
#include "doorward/base/jws.hpp"
#include "doorward/config/words.hpp"
#include "doorward/session/key.hpp"
#include "pipeline/explain_binding.hpp"
#include "pipeline/explain_refusal.hpp"
#include "pipeline/own.hpp"
#include "pipeline/stages.hpp"

namespace doorward::pipeline {
namespace {

struct text_sink final : redis::sink {
  std::string text;
  void on_reply(redis::reply const& r) noexcept override {
    text = r.type == redis::reply::kind::integer ? std::to_string(r.integer) : std::string(r.text);
  }
};

class explainer {
public:
  explainer(exchange& x, explanation& out) : x_(x), out_(out) {}

  void say(std::string what, std::string_view found) { out_.say(std::move(what), found); }

  void tell_path() {
    say("path", x_.path.text());
    for (auto const& reading : x_.path.readings())
      say("also read as", reading);
  }

  void tell_route() {
    auto const& c = x_.route->config;
    say("route", fmt::format("{}  ({})", c.id, route_place(x_, c)));
  }

  void tell_cookies() {
    auto const& name = x_.view().config.session.cookie.name;
    bool const is_enclosed = x_.worker.envelopes.on();
    bool const is_signed = is_enclosed || x_.view().ids.active() || x_.view().encoded_ids.is_signed();
    if (x_.envelope_fault != auth::envelope_fault::none)
      say("envelope", fmt::format("one is not taken: {}", auth::describe(x_.envelope_fault)));
    if (x_.cookies.count > 0)
      say("cookie", fmt::format("{}: {} value{} {}", name, x_.cookies.count, x_.cookies.count == 1 ? "" : "s",
                                is_signed ? "with a good signature" : "that may be a session id"));
    else if (!x_.cookies.present)
      say("cookie", "none called " + name);
    else
      say("cookie",
          name + (is_signed ? ": no value of it has a good signature" : ": no value of it could be a session id"));
  }

  net::task<> tell_store() {
    auto const& session = x_.view().config.session;
    if (x_.cookies.count > 0)
      say("session", fmt::format("read by {}, encoding {}", session::command_for(session.encoding),
                                 config::word_for(session.encoding)));
    if (session.cache.enabled && x_.cookies.count > 0)
      say("near-cache",
          fmt::format("not used here; a worker may have a copy, of the last {} ms", session.cache.max_age.count()));
    for (std::size_t i = 0; i < x_.cookies.count; ++i) {
      auto const id = x_.cookies.ids[i];
      auto const hash = sha256_prefix(id);
      auto const full = session::key_of(session, id);
      auto const tag = session::tag_of_id(session, id);
      // An id is as good as a password; its hash may be shown.
      say("key", fmt::format("{}  (logged as {})",
                             session.store_hashed
                                 ? full
                                 : fmt::format("{}{}...{}", session.key.prefix,
                                               tag.empty() ? "" : fmt::format("{{{}}}.", tag), session.key.suffix),
                             std::string_view(hash.data(), hash.size())));
      text_sink type;
      text_sink ttl;
      std::array<std::string_view, 2> const ask_type{"TYPE", full};
      std::array<std::string_view, 2> const ask_ttl{"PTTL", full};
      auto const ec = co_await x_.worker.redis.command(ask_type, type);
      auto const ec2 = co_await x_.worker.redis.command(ask_ttl, ttl);
      if (!x_.worker.redis.connected()) co_return;  // the refusal says why
      if (ec || ec2)
        say("redis", "cannot tell type and expiry; " + redis_trouble(x_.worker));
      else if (type.text == "none")
        say("redis", "there is no such key");
      else
        say("redis", fmt::format("type {}, {}", type.text, expiry(ttl.text)));
      co_await explain_binding(x_, id, out_);
    }
  }

  void tell_fields() {
    if (!x_.authenticated()) return;
    for (std::size_t slot = 0; slot < x_.view().fields.size(); ++slot)
      if (x_.session.has(slot)) say("field", fmt::format("{} = {}", x_.view().fields.name(slot), x_.session.get(slot)));
  }

  void tell_rules() {
    explain_allow(x_, out_);
    explain_require(x_, out_);
  }

  // What extends the session, and what stays open only as long as it.
  void tell_activity() {
    if (x_.passive) say("session", "not extended: the request says Doorward-Passive: 1");
    auto const* accept = x_.head.find("accept");
    bool const opens = passes_upgrade(x_) || (accept != nullptr && accept->value.starts_with("text/event-stream"));
    if (!opens || !x_.authenticated() || x_.route->to != runtime::route_target::upstream) return;
    auto const& every = x_.view().config.session.recheck;
    say("stays open", fmt::format("until the session ends{}",
                                  every.count() == 0 ? std::string(" here or at its absolute limit")
                                                     : fmt::format(": looked at every {} ms", every.count())));
  }

  void tell_headers() {
    for (std::size_t i = 0; i < x_.kept.size(); ++i)
      if (!x_.kept[i] && x_.head.fields[i].id != http::field_id::host) say("header removed", x_.head.fields[i].name);
    std::string_view rest = x_.upstream_head;
    rest.remove_prefix(std::min(rest.size(), rest.find("\r\n") + 2));
    while (rest.size() > 2) {
      auto const line = rest.substr(0, rest.find("\r\n"));
      rest.remove_prefix(line.size() + 2);
      if (came_with_request(line)) continue;
      auto const assertion = x_.worker.assertions.line_start();
      say("header added",
          !assertion.empty() && line.starts_with(assertion) ? claims_of(line, assertion) : std::string(line));
    }
  }

private:
  // What it says; the whole of it would be good for somebody else, too.
  std::string claims_of(std::string_view line, std::string_view start) const {
    auto const& keys = x_.view().config.assertion.keys;
    auto const token = line.substr(start.size());
    auto const first = token.find('.') + 1;
    std::string claims;
    (void)append_base64url_decoded(claims, token.substr(first, token.rfind('.') - first));
    return fmt::format("{}a JWT signed with key {}: {}", start, keys.front().kid, claims);
  }

  static std::string expiry(std::string const& pttl) {
    auto const ms = std::strtoll(pttl.c_str(), nullptr, 10);
    return ms < 0 ? "never expires" : fmt::format("expires in {} s", (ms + 999) / 1000);
  }

  bool came_with_request(std::string_view line) const {
    for (std::size_t i = 0; i < x_.kept.size(); ++i) {
      bool const stays = x_.kept[i] || x_.head.fields[i].id == http::field_id::host;
      auto const raw = x_.head.raw_line(i);
      if (stays && raw.starts_with(line) && raw.substr(line.size()) == "\r\n") return true;
    }
    return false;
  }

  exchange& x_;
  explanation& out_;
};

std::string_view target_name(runtime::route_target d) noexcept {
  switch (d) {
    case runtime::route_target::upstream: return "forward to";
    case runtime::route_target::respond: return "a fixed answer:";
    case runtime::route_target::login: return "forward to the identity service,";
    case runtime::route_target::logout: return "log out";
    case runtime::route_target::sessions: return "list or end the user's sessions";
    case runtime::route_target::whoami: return "say who it is";
    case runtime::route_target::jwks: return "publish the keys of assertions";
    case runtime::route_target::proxy: return "tell a proxy in front what becomes of a request that it has";
    case runtime::route_target::unclaimed: return "nothing is there: 404 not_found";
  }
  return "";
}

bool is_sent(exchange const& x) noexcept {
  return x.route->to == runtime::route_target::upstream || x.route->to == runtime::route_target::login;
}

std::string decision(exchange const& x) {
  std::string what(target_name(x.route->to));
  if (is_sent(x)) return what + ' ' + x.view().config.upstreams[x.route->upstream].name;
  if (auto const& status = x.route->config.respond) return fmt::format("{} {}", what, *status);
  return what;
}

// The stages, with what each found told in between. The first refusal ends it.
net::task<result<void>> walk(exchange& x, explainer& tell) {
  if (auto r = receive(x); !r) co_return r;
  tell.tell_path();
  if (auto r = sanitize(x); !r) co_return r;
  auto const matched = match(x);
  if (x.route != nullptr) tell.tell_route();
  if (!matched) co_return matched;
  if (x.route->config.auth == config::auth_mode::none) {
    tell.say("session", "not looked up: auth is none");
  } else {
    tell.tell_cookies();
    co_await tell.tell_store();
  }
  auto const authenticated = co_await authenticate(x);
  if (!authenticated) co_return authenticated;
  tell.tell_fields();
  if (auto r = authorize(x); !r) co_return r;
  tell.tell_rules();
  tell.tell_activity();
  if (!takes_method(x)) co_return errc::method_not_allowed;
  if (x.route->to == runtime::route_target::proxy) co_return errc::forward_auth_untrusted;
  auto r = transform(x);
  co_return r;
}

}  // namespace

void explanation::say(std::string what, std::string_view found) {
  std::string shown;
  for (std::size_t i = 0; i < found.size(); ++i) {
    auto const byte = static_cast<unsigned char>(found[i]);
    // Control characters are below 0x20, DEL, and in UTF-8 C2 80 to C2 9F.
    bool const second = i > 0 && found[i - 1] == '\xC2' && byte >= 0x80 && byte < 0xA0;
    if (byte < 0x20 || byte == 0x7f || second)
      shown += fmt::format("<{:02x}>", byte);
    else
      shown += found[i];
  }
  steps.emplace_back(std::move(what), std::move(shown));
}

net::task<explanation> explain(runtime::worker& w, std::string head, std::string address) {
  explanation out;
  exchange x(w);
  net::stream nobody(w.context.get_executor());
  net::read_buffer buffer(w.buffers);
  net::watch watch(w.wheel);
  peer from;
  from.text = std::move(address);
  downstream client(w, nobody, buffer, watch, from);
  x.begin(client, head);
  x.dry_run = true;

  explainer tell(x, out);
  auto const r = co_await walk(x, tell);
  if (r) {
    tell.say("decision", decision(x));
    if (is_sent(x)) tell.tell_headers();
  } else {
    auto const why = to_errc(r.error());
    explain_refusal(x, why, out);
    auto const& a = about(why);
    auto const to_login = goes_to_login(x, why);
    auto const finer = a.reason == a.code ? std::string{} : fmt::format(" ({})", a.reason);
    tell.say("decision", fmt::format("{} {}{}{}", to_login ? 302u : a.status, a.code, finer,
                                     to_login ? ", to the login page" : ""));
  }
  co_return out;
}

}  // namespace doorward::pipeline
