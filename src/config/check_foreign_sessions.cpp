#include <fmt/format.h>

#include "config/header_rules.hpp"
#include "config/sections.hpp"

// Sessions that other programs write (docs/foreign-sessions.md): doorward reads them, so whatever would write is off.
namespace doorward::config {
namespace {

constexpr char last_accessed[] = "lastAccessedTime";
constexpr char leave_out[] = "leave this out";
constexpr char set_external[] = "set `identity.mode: external`: the application makes the session and sets the cookie";

bool has_paths(session_encoding e) noexcept {
  return e == session_encoding::json || e == session_encoding::redisjson || e == session_encoding::php;
}

}  // namespace

// Spring's own names for when a session began and was last asked for.
void checker::resolve_foreign_fields() {
  if (doc_.session.encoding != session_encoding::spring) return;
  auto& fields = doc_.session.fields;
  if (!seen_.given("session.fields.created")) fields.created = "creationTime";
  if (!seen_.given("session.fields.last_seen")) fields.last_seen = last_accessed;
}

void checker::check_foreign_sessions() {
  check_cookie_codec();
  auto const& s = doc_.session;
  if (s.encoding == session_encoding::hash || !seen_.sound("session.encoding")) return;
  auto const encoding = fmt::format("`encoding: {}`", word_for(s.encoding));
  if (doc_.identity.mode != identity_mode::external && seen_.sound("identity.mode"))
    error("session.encoding", "in mode `grant` doorward writes the sessions, and it writes hashes only", set_external);

  auto const refuse = [&](bool is_set, char const* path, std::string_view why) {
    if (is_set && seen_.sound(path)) error(path, fmt::format("with {} {}", encoding, why), leave_out);
  };
  constexpr std::string_view no_index = "there is no index of a user's sessions to count them by";
  refuse(s.layout != key_layout::plain, "session.layout", "keys are as the application names them");
  refuse(s.store_hashed, "session.store_hashed", "keys hold the id, as the application names them");
  refuse(!s.bind.empty(), "session.bind", "nobody notes where a user logged in");
  refuse(s.limit.per_user > 0, "session.limit.per_user", no_index);
  refuse(s.limit.per_device > 0, "session.limit.per_device", no_index);
  refuse(s.lifetime.streams, "session.lifetime.streams", "sessions are not extended by doorward");
  refuse(s.encoding == session_encoding::spring && s.fields.last_seen != last_accessed, "session.fields.last_seen",
         "this is `lastAccessedTime`, by which Spring ends a session");
  if (s.key.prefix.empty() && s.key.suffix.empty() && seen_.sound("session.key"))
    error("session.key", fmt::format("with {} a key has something around `{{id}}`", encoding),
          "a log-out deletes the key, and any key may be called like an id");
  if (has_paths(s.encoding)) check_field_paths();
}

void checker::check_field_paths() {
  auto const check = [&](std::string const& path, std::string_view name) {
    if (is_field_path(name) || !seen_.sound(path)) return;
    error(path, "a name that begins with `/` is a JSON pointer (RFC 6901), and this is none",
          "in it a tilde is written `~0`, and a slash in a name `~1`");
  };
  auto const& f = doc_.session.fields;
  check("session.fields.user", f.user);
  check("session.fields.roles", f.roles);
  check("session.fields.created", f.created);
  check("session.fields.last_seen", f.last_seen);
  // Those that are there without being written have the names from above.
  bool const has_headers = seen_.given("headers");
  for (auto const& h : doc_.headers)
    for (auto const& part : h.parts)
      if (has_headers && part.is_field) check(join("headers", h.name), part.text);
  for (std::size_t i = 0; i < doc_.routes.size(); ++i)
    for (auto const& [name, values] : doc_.routes[i].allow.fields)
      check(join("routes", i) + ".allow.fields", name);
}

void checker::check_cookie_codec() {
  auto const& cookie = doc_.session.cookie;
  bool const is_external = doc_.identity.mode == identity_mode::external || !seen_.sound("identity.mode");
  if (cookie.shared && !is_external && seen_.sound("session.cookie.shared"))
    error("session.cookie.shared", "in mode `grant` doorward alone sets the cookie, and nobody else has it",
          set_external);

  std::string const base = "session.cookie.codec";
  if (cookie.codec == cookie_codec::plain || !seen_.sound(base)) return;
  if (!is_external)
    error(base, "in mode `grant` doorward sets the cookie, and it does that in its own way", set_external);
  if (!doc_.session.envelope.keys.empty() && seen_.sound("session.envelope.keys"))
    error(base, "a cookie is either what an application makes of an id or a JWT (`session.envelope`)");
  if (!seen_.sound("session.cookie.keys")) return;
  if (cookie.codec == cookie_codec::express && cookie.keys.empty())
    error(base, "express-session signs its cookies, and its secret is not given",
          "put what the application has as `secret` into `session.cookie.keys`, in the same order");
  if (cookie.codec == cookie_codec::base64 && !cookie.keys.empty())
    error("session.cookie.keys", "with `codec: base64` ids have no signature", leave_out);
}

}  // namespace doorward::config
