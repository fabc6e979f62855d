#include "loading.hpp"

using namespace doorward::config;

TEST_CASE("session: values that cannot be") {
  constexpr char secure_fix[] = "set `session.cookie.secure: true`, or choose another name";
  constexpr char prefixed[] = "browsers take a cookie of this name only when it is Secure";
  constexpr char field[] =
      "a field's name has no blanks, braces, `?` or control characters, and is at most 128 bytes long";
  check_each({
      {"session: { cookie: { name: @@\"a b\" } }", "session.cookie.name",
       "not a cookie's name: letters, digits and `-_.!#%&'*+^|~`"},
      {"session: { cookie: { name: @@\"\" } }", "session.cookie.name",
       "not a cookie's name: letters, digits and `-_.!#%&'*+^|~`"},
      {"session: { cookie: { name: @@__Host-x } }", "session.cookie.name", prefixed, secure_fix},
      {"session: { cookie: { name: @@__secure-x, secure: false } }", "session.cookie.name", prefixed, secure_fix},
      {"session: { cookie: { same_site: @@none } }", "session.cookie.same_site",
       "browsers take `none` only for cookies that are Secure", "set `session.cookie.secure: true`"},
      {"session: { cookie: { same_site: @@Lax } }", "session.cookie.same_site",
       "one of `lax`, `strict` or `none` is expected here", "did you mean `lax`?"},
      {"session: { cookie: { secure: @@yes } }", "session.cookie.secure", "`true` or `false` is expected here",
       "write `true`"},
      {"session: { key: @@\"session:\" }", "session.key", "`{id}` must stand in it once", "for example `session:{id}`"},
      {"session: { key: @@\"{id}{id}\" }", "session.key", "`{id}` must stand in it once, and no other braces"},
      {"session: { key: @@\"{app}:{id}\" }", "session.key", "`{id}` must stand in it once, and no other braces"},
      {"session: { index: @@\"user:{id}\" }", "session.index", "`{user}` must stand in it once",
       "for example `user:{user}:sessions`"},
      {"session: { key: \"x:{id}\", index: @@\"x:{user}\" }", "session.index",
       "a user's index must not have the same keys as sessions"},
      {"session: { fields: { user: @@\"\" } }", "session.fields.user", field},
      {"session: { fields: { roles: @@\"a b\" } }", "session.fields.roles", field},
      {"session: { fields: { roles: @@\"a{b\" } }", "session.fields.roles", field},
      {"session: { fields: { roles: @@userId } }", "session.fields.roles",
       "`user` and `roles` must be different fields"},
      {"session: { fields: { user: @@role } }", "session.fields.user", "`user` and `roles` must be different fields"},
      {"session: { fields: { created: x, last_seen: @@x } }", "session.fields.last_seen",
       "`created` and `last_seen` must be different fields"},
      {"session: { lifetime: { idle: @@1500ms } }", "session.lifetime.idle",
       "this duration is a whole number of seconds"},
      {"session: { lifetime: { idle: @@0s } }", "session.lifetime.idle", "must be from 1s to 3650d"},
      {"session: { lifetime: { absolute: @@9999d } }", "session.lifetime.absolute", "must be from 1s to 3650d"},
      {"session: { lifetime: { idle: @@24h } }", "session.lifetime.idle",
       "idle (1d) must not be more than absolute (12h)"},
      {"session: { lifetime: { absolute: @@5m } }", "session.lifetime.absolute",
       "idle (30m) must not be more than absolute (5m)"},
      {"session: { lifetime: { remember_idle: @@91d } }", "session.lifetime.remember_idle",
       "remember_idle (91d) must not be more than remember_absolute (90d)"},
      {"session: { lifetime: { touch_every: @@30m } }", "session.lifetime.touch_every",
       "touch_every (30m) must be less than idle (30m)"},
      {"session: { lifetime: { idle: @@30s } }", "session.lifetime.idle",
       "touch_every (1m) must be less than idle (30s)"},
      {"session: { lifetime: { remember_idle: @@30s } }", "session.lifetime.remember_idle",
       "touch_every (1m) must be less than remember_idle (30s)"},
      {"session: { recheck: 0s, lifetime: { streams: @@true } }", "session.lifetime.streams",
       "an open stream extends its session when that is looked up again", "give `session.recheck`, or leave this out"},
      {"session: { recheck: @@6m }", "session.recheck", "must be from 0s to 5m"},
      {"session: { cache: { max_age: @@5 } }", "session.cache.max_age", "a duration needs a unit", "write `5s`"},
      {"session: { cache: { entries: @@0 } }", "session.cache.entries",
       "a whole number from 1 to 100000000 is expected here"},
      {"session: { limit: { when_full: @@refuse } }", "session.limit.when_full",
       "one of `displace_oldest` or `deny` is expected here"},
      {"session: { limit: { per_device: @@-1 } }", "session.limit.per_device",
       "a whole number from 0 to 10000 is expected here"},
      {"session: { layout: @@cluster }", "session.layout", "one of `plain` or `tagged` is expected here"},
      {"session: { bind: [@@agent] }", "session.bind[0]", "one of `user_agent` or `ip_prefix` is expected here"},
      {"session: { bind: @@ip_prefix }", "session.bind", "a list is expected here, not a single value",
       "put it in `[ ]`"},
  });
}

TEST_CASE("session: keys that ids cannot be signed with") {
  constexpr char make_one[] = "make one by `openssl rand -base64 32`";
  std::string const key(32, 'k');
  auto const cookie = [](std::string const& list) { return "session: { cookie: { keys: " + list + " } }"; };
  std::string nine = "[";
  for (char c = 'a'; c < 'j'; ++c)
    nine += (c == 'i' ? "@@" : "") + std::string(32, c) + ", ";
  check_each({
      {cookie("[@@\"\"]"), "session.cookie.keys[0]", "a key has at least 32 characters", make_one},
      {cookie("[" + key + ", @@" + key.substr(1) + "]"), "session.cookie.keys[1]", "a key has at least 32 characters",
       make_one},
      {cookie("[@@\"${SECRET}\"]"), "session.cookie.keys[0]", "a key has at least 32 characters (as interpolated)"},
      {cookie("[@@\"" + key + "\\n\"]"), "session.cookie.keys[0]", "a key is one line of printable ASCII", make_one},
      {cookie("[@@\"" + key + "\xC3\xA4\"]"), "session.cookie.keys[0]", "a key is one line of printable ASCII",
       make_one},
      {cookie("[" + key + ", x" + key + ", @@" + key + "]"), "session.cookie.keys[2]", "the same key twice",
       "the first signs, and all are believed: leave this one out"},
      {cookie(nine + "]"), "session.cookie.keys[8]", "at most 8 keys", "leave the oldest out"},
      {cookie("@@" + key), "session.cookie.keys", "a list is expected here, not a single value", "put it in `[ ]`"},
      {"session: { store_hashed: @@sha256 }", "session.store_hashed", "`true` or `false` is expected here"},
  });
}

TEST_CASE("session: what another program's sessions cannot have") {
  constexpr char leave_out[] = "leave this out";
  constexpr char external[] = "set `identity.mode: external`: the application makes the session and sets the cookie";
  constexpr char pointer[] = "a name that begins with `/` is a JSON pointer (RFC 6901), and this is none";
  constexpr char pointer_fix[] = "in it a tilde is written `~0`, and a slash in a name `~1`";
  constexpr char count[] = "with `encoding: json` there is no index of a user's sessions to count them by";
  std::string const theirs = "identity: { upstream: id, mode: external }\n";
  auto const json = [&](std::string const& rest) { return theirs + "session: { encoding: json, " + rest + " }"; };
  auto const cookie = [&](std::string const& rest) { return theirs + "session: { cookie: { " + rest + " } }"; };
  check_each({
      {"session: { encoding: @@xml }", "session.encoding",
       "one of `hash`, `json`, `redisjson`, `php` or `spring` is expected here"},
      {"session: { encoding: @@json }", "session.encoding",
       "in mode `grant` doorward writes the sessions, and it writes hashes only", external},
      {json("layout: @@tagged"), "session.layout", "with `encoding: json` keys are as the application names them",
       leave_out},
      {json("store_hashed: @@true"), "session.store_hashed",
       "with `encoding: json` keys hold the id, as the application names them", leave_out},
      {json("bind: @@[ip_prefix]"), "session.bind", "with `encoding: json` nobody notes where a user logged in",
       leave_out},
      {json("limit: { per_user: @@1 }"), "session.limit.per_user", count, leave_out},
      {json("limit: { per_device: @@1 }"), "session.limit.per_device", count, leave_out},
      {json("lifetime: { streams: @@true }"), "session.lifetime.streams",
       "with `encoding: json` sessions are not extended by doorward", leave_out},
      {theirs + "session: { encoding: spring, fields: { last_seen: @@seen } }", "session.fields.last_seen",
       "with `encoding: spring` this is `lastAccessedTime`, by which Spring ends a session", leave_out},
      {json("fields: { user: @@/a~2 }"), "session.fields.user", pointer, pointer_fix},
      {json("fields: { roles: @@/a~ }"), "session.fields.roles", pointer, pointer_fix},
      {json("fields: { user: id }") + "\nheaders: { X-A: @@\"{/~x?}\" }", "headers.X-A", pointer, pointer_fix},
      {json("fields: { user: id }") + "\nroutes: [{ path: /**, upstream: app, allow: { fields: @@{ /~: [a] } } }]",
       "routes[0].allow.fields", pointer, pointer_fix},
      {"session: { cookie: { shared: @@true } }", "session.cookie.shared",
       "in mode `grant` doorward alone sets the cookie, and nobody else has it", external},
      {"session: { cookie: { codec: @@base64 } }", "session.cookie.codec",
       "in mode `grant` doorward sets the cookie, and it does that in its own way", external},
      {cookie("codec: @@flask"), "session.cookie.codec", "one of `plain`, `express` or `base64` is expected here"},
      {cookie("codec: @@express"), "session.cookie.codec",
       "express-session signs its cookies, and its secret is not given",
       "put what the application has as `secret` into `session.cookie.keys`, in the same order"},
      {cookie("codec: base64, keys: @@[" + std::string(32, 'k') + "]"), "session.cookie.keys",
       "with `codec: base64` ids have no signature", leave_out},
      {cookie("codec: express, keys: [@@\"\"]"), "session.cookie.keys[0]", "a key has at least one character"},
      {cookie("codec: express, keys: [@@\"<redacted>\"]"), "session.cookie.keys[0]",
       "this stands where a key is not shown, and is none"},
      {cookie("codec: express, keys: [cat, @@cat]"), "session.cookie.keys[1]", "the same key twice",
       "the first signs, and all are believed: leave this one out"},
  });
}

TEST_CASE("session: what another program's sessions can have") {
  auto const m = loaded_model(R"(
identity: { upstream: id, mode: external }
session:
  cookie: { name: connect.sid, codec: express, shared: true, keys: [cat, older] }
  encoding: php
  fields: { user: /user/a~1b~0, roles: /, created: at }
)");
  CHECK(m.session.encoding == session_encoding::php);
  CHECK(m.session.cookie.codec == cookie_codec::express);
  CHECK(m.session.cookie.shared);
  CHECK(m.session.cookie.keys.size() == 2);
  CHECK(m.session.fields.user == "/user/a~1b~0");
  CHECK(m.session.fields.last_seen == "lastSeen");
  // A hash has names, and no places.
  CHECK(loaded_model("session: { fields: { user: /a~ } }").session.fields.user == "/a~");
}

TEST_CASE("session: Spring's own names for times are there without being written") {
  auto const spring = [](std::string const& fields) {
    return loaded_model("identity: { upstream: id, mode: external }\nsession: { encoding: spring, " + fields + " }")
        .session.fields;
  };
  CHECK(spring("fields: { user: u }").created == "creationTime");
  CHECK(spring("fields: { user: u }").last_seen == "lastAccessedTime");
  CHECK(spring("fields: { created: x, last_seen: lastAccessedTime }").created == "x");
}

TEST_CASE("a value that is wrong by itself is not compared with others") {
  check_each({
      {"session: { lifetime: { idle: @@oops, absolute: 1s, touch_every: 1s, remember_idle: 1h } }",
       "session.lifetime.idle", "not a duration: it is a whole number and a unit", "for example `30s`"},
  });
}

TEST_CASE("what `auto` means is not judged by an origin that is wrong") {
  check_each({
      {"server: { public_origin: @@https://a/b }\nsession: { cookie: { name: __Host-x, same_site: none } }",
       "server.public_origin", "an origin is scheme, host and port, and nothing else", "write `https://a`"},
  });
}

TEST_CASE("limits that are just met") {
  for (auto const* text :
       {"session: { lifetime: { idle: 12h, absolute: 12h } }", "session: { lifetime: { idle: 2s, touch_every: 1s } }",
        "session: { cookie: { name: __Host-x, secure: true } }",
        "server: { public_origin: https://a }\nsession: { cookie: { name: __Secure-x } }"}) {
    INFO(text);
    CHECK(load_completed(text).problems.empty());
  }
}

TEST_CASE("a cookie that is not Secure under an https origin is worth a warning") {
  check_each(
      {{"server: { public_origin: https://a }\nsession: { cookie: { secure: @@false } }", "session.cookie.secure",
        "the cookie would also be sent over plain http, although public_origin is https"}},
      problem::level::warning);
}

TEST_CASE("identity: values that cannot be") {
  constexpr char under[] =
      "the logout path must not be under the login path: everything there goes to the identity service";
  constexpr char own[] = "paths under /.doorward are doorward's own";
  check_each({
      {"identity: { upstream: @@identity }", "identity.upstream", "there is no upstream of this name",
       "known here: `app` and `id`"},
      {"identity: { upstream: @@di }", "identity.upstream", "there is no upstream of this name", "did you mean `id`?"},
      {"identity: { upstream: id, login: @@login }", "identity.login", "a path begins with `/`", "write `/login`"},
      {"identity: { upstream: id, login: @@/login/ }", "identity.login", "this path has no slash at its end",
       "write `/login`"},
      {"identity: { upstream: id, login: @@/ }", "identity.login",
       "the root cannot be this path: it would take every request"},
      {"identity: { upstream: id, login: /login/@@** }", "identity.login",
       "this is a path, not a pattern: `*` means nothing in it"},
      {"identity: { upstream: id, login: /@@a/../b }", "identity.login",
       "requests are matched by their canonical path, which this is not", "write `/b`"},
      {"identity: { upstream: id, login: @@/.doorward/login }", "identity.login", own},
      {"identity: { upstream: id, logout: @@/.doorward }", "identity.logout", own},
      {"identity: { upstream: id, logout: @@/login }", "identity.logout", "login and logout must be different paths"},
      {"identity: { upstream: id, login: @@/logout }", "identity.login", "login and logout must be different paths"},
      {"identity: { upstream: id, logout: @@/login/out }", "identity.logout", under},
      {"identity: { upstream: id, return_to: @@\"a b\" }", "identity.return_to",
       "a query parameter's name: up to 64 letters, digits, `-`, `_` and `.`"},
      {"identity: { upstream: id, mode: @@grants }", "identity.mode", "one of `grant` or `external` is expected here",
       "did you mean `grant`?"},
  });
}

TEST_CASE("headers: values that cannot be") {
  check_each({
      {"headers: { @@Host: x }", "headers.Host", "this header belongs to the connection and cannot be injected"},
      {"headers: { X-A: \"ab@@{c\" }", "headers.X-A", "this `{` is not closed", "write `{{` for a brace"},
      {"headers: { X-A: @@\"\" }", "headers.X-A", "a header needs a value", "for example `\"{userId}\"`"},
      {"headers: { @@X-A: }", "headers.X-A", "a header template is missing here", "give one, or leave the key out"},
      {"headers: { X-User: a, @@x-user: b }", "headers.x-user",
       "the same header as `X-User` on line 1: only letters and digits tell headers apart, and not their case"},
      {"headers: { X-User: a, @@X.User: b }", "headers.X.User",
       "the same header as `X-User` on line 1: only letters and digits tell headers apart, and not their case"},
      {"headers: { @@Content.Length: x }", "headers.Content.Length",
       "this header belongs to the connection and cannot be injected"},
      {"headers:\n  X-User: a\n  @@X_User: b", "headers.X_User",
       "the same header as `X-User` on line 2: only letters and digits tell headers apart, and not their case"},
  });
}
