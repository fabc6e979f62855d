#include <fmt/format.h>

#include <algorithm>

#include "config/header_rules.hpp"
#include "config/path_rules.hpp"
#include "config/sections.hpp"

namespace doorward::config {
namespace {

using std::chrono::hours;

constexpr seconds longest_life = hours{24 * 3650};

// "session:{id}": the placeholder once, and nothing else in braces.
auto around(std::string placeholder) {
  return [placeholder = std::move(placeholder)](std::string_view written) -> parsed<affixes> {
    auto const at = written.find(placeholder);
    auto const example = placeholder == "{id}" ? "session:{id}" : "user:{user}:sessions";
    if (at == std::string_view::npos) {
      return complaint{fmt::format("`{}` must stand in it once", placeholder),
                       fmt::format("for example `{}`", example)};
    }
    affixes out{std::string{written.substr(0, at)}, std::string{written.substr(at + placeholder.size())}};
    bool const braces = (out.prefix + out.suffix).find_first_of("{}") != std::string::npos;
    if (braces) return complaint{fmt::format("`{}` must stand in it once, and no other braces", placeholder)};
    return out;
  };
}

std::optional<complaint> check_field(std::string_view name) {
  if (is_field_name(name)) return std::nullopt;
  return complaint{"a field's name has no blanks, braces, `?` or control characters, and is at most 128 bytes long"};
}

std::optional<complaint> check_cookie_name(std::string_view name) {
  if (!is_token(name)) return complaint{"not a cookie's name: letters, digits and `-_.!#%&'*+^|~`"};
  if (name.size() > 128) return complaint{"a cookie's name is at most 128 bytes long"};
  return std::nullopt;
}

std::optional<complaint> check_parameter(std::string_view name) {
  auto const fine = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  if (!name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), fine)) return std::nullopt;
  return complaint{"a query parameter's name: up to 64 letters, digits, `-`, `_` and `.`"};
}

// A fixed path that doorward answers itself or hands to the identity service.
parsed<std::string> parse_fixed_path(std::string_view written) {
  auto path = parse_path(written);
  if (std::holds_alternative<complaint>(path)) return path;
  if (written == "/") return complaint{"the root cannot be this path: it would take every request"};
  if (written.ends_with('/')) {
    return complaint{"this path has no slash at its end",
                     fmt::format("write `{}`", written.substr(0, written.size() - 1))};
  }
  if (is_own_path(written)) return complaint{"paths under /.doorward are doorward's own"};
  return path;
}

// How long it has to be depends on whose it is: see check_cookie_keys.cpp.
// Other programs may have to read it too, so it is text that nobody can understand in two ways.
parsed<redacted> parse_signing_key(std::string_view written) {
  auto const is_text = [](char c) { return c >= ' ' && c <= '~'; };
  if (!std::all_of(written.begin(), written.end(), is_text))
    return complaint{"a key is one line of printable ASCII", "make one by `openssl rand -base64 32`"};
  return redacted{std::string{written}};
}

typed<cookie_config> cookie() {
  constexpr char token_pattern[] = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
  return mapping<cookie_config>({
      field("name", &cookie_config::name, text("cookie name", token_pattern, check_cookie_name), "",
            "The session cookie's name.")
          .without("`__Host-sid` where cookies are Secure, else `sid`"),
      field("secure", &cookie_config::secure, or_auto(boolean()), "auto",
            "Send it over https only. `auto` is on unless every listener is a unix socket or on a loopback address and "
            "`public_origin` is not https."),
      field("same_site", &cookie_config::policy, choice<same_site>(), "lax",
            "The SameSite attribute. `none` needs `secure`."),
      field("codec", &cookie_config::codec, choice<cookie_codec>(), "plain",
            "What the cookie makes of the id: nothing but what `keys` say; express-session's signature, by the "
            "application's secrets in `keys`; or base64, as Spring Session does."),
      field("shared", &cookie_config::shared, boolean(), "false",
            "The application that is `identity.upstream` has the same cookie: it is sent there, and may be set there."),
      field("keys", &cookie_config::keys, list(parsed_text<redacted>("secret", "^[ -~]*$", parse_signing_key)), "[]",
            "Keys that ids are signed with: the first signs, all are believed. Forged ids then never reach Redis. Up "
            "to 8, of 32 characters or more; with `codec: express` as long as the application's are."),
  });
}

typed<session_fields> fields() {
  auto const name = text("field name", R"(^[^\s{}?]+$)", check_field);
  return mapping<session_fields>({
      field("user", &session_fields::user, name, "userId", "Who it is. A session without it is none."),
      field("roles", &session_fields::roles, name, "role", "One role, or several joined by `,`."),
      field("created", &session_fields::created, name, "", "Milliseconds since the epoch (seconds are recognised).")
          .without("`createdAt`, with `encoding: spring` `creationTime`"),
      field("last_seen", &session_fields::last_seen, name, "", "The same, of the last request that was noted.")
          .without("`lastSeen`, with `encoding: spring` `lastAccessedTime`"),
  });
}

typed<session_lifetime> lifetime() {
  auto const life = duration(seconds{1}, longest_life);
  return mapping<session_lifetime>({
      field("idle", &session_lifetime::idle, life, "30m", "A session ends after this long without a request."),
      field("absolute", &session_lifetime::absolute, life, "12h", "And after this long in any case."),
      field("remember_idle", &session_lifetime::remember_idle, life, "14d",
            "`idle` of sessions granted with `remember`."),
      field("remember_absolute", &session_lifetime::remember_absolute, life, "90d",
            "`absolute` of sessions granted with `remember`."),
      field("touch_every", &session_lifetime::touch_every, life, "1m",
            "How often at most a request extends the session in Redis. Less than `idle`."),
      field("streams", &session_lifetime::streams, boolean(), "false",
            "An open WebSocket or event stream extends the session, as if its user kept asking. Needs `recheck`."),
  });
}

typed<session_limit> limit() {
  return mapping<session_limit>({
      field("per_user", &session_limit::per_user, integer<unsigned>(0, 10'000), "0",
            "Sessions a user may have at once; 0 is any number."),
      field("per_device", &session_limit::per_device, integer<unsigned>(0, 10'000), "0",
            "Of these, on one class of device (computer, phone, tablet, other); 0 is any number."),
      field("when_full", &session_limit::when_full, choice<limit_action>(), "displace_oldest",
            "What a login does when there are as many already: end the oldest, or be refused."),
  });
}

enum class bound_part { user_agent, ip_prefix };

typed<session_binding> binding() {
  auto const parts =
      list(choice<bound_part>({{"user_agent", bound_part::user_agent}, {"ip_prefix", bound_part::ip_prefix}}));
  typed<session_binding> d;
  static_cast<description&>(d) = parts;
  d.read = [read = parts.read](description const& self, reader& r, node const& n, void* into) {
    std::vector<bound_part> given;
    read(self, r, n, &given);
    auto& out = *static_cast<session_binding*>(into);
    out = {};
    for (auto const part : given)
      (part == bound_part::user_agent ? out.user_agent : out.ip_prefix) = true;
  };
  return d;
}

typed<session_cache> cache() {
  return mapping<session_cache>({
      field("enabled", &session_cache::enabled, boolean(), "false",
            "Keep sessions in memory too; Redis says when they change. Needs Redis 6 and rights of its own."),
      field("entries", &session_cache::entries, integer<std::size_t>(1, 100'000'000), "100000",
            "Sessions kept at most, by all workers together; of one that several serve, each has a copy."),
      field("max_age", &session_cache::max_age, duration(milliseconds{1}, milliseconds{hours{1}}), "5s",
            "How old a copy may be, whatever Redis says."),
  });
}

std::optional<complaint> check_form_field(std::string_view name) {
  if (name.size() <= 128 && name.find_first_of("\r\n") == std::string_view::npos) return std::nullopt;
  return complaint{"the name of a form's field is at most 128 bytes long, on one line"};
}

typed<login_guard> guard() {
  auto const time = duration(milliseconds{1}, milliseconds{hours{24}});
  return mapping<login_guard>({
      field("in_flight", &login_guard::in_flight, integer<std::size_t>(1, 1'000'000), "64",
            "Requests the identity service has at once, over all workers."),
      field("queue", &login_guard::queue, integer<std::size_t>(0, 1'000'000), "256",
            "Requests that wait for their turn. Beyond that they are told to come back, with 503."),
      field("queue_timeout", &login_guard::queue_timeout, time, "5s", "How long one waits, then 503 too."),
      field("failures", &login_guard::failures, integer<unsigned>(0, 1'000'000), "10",
            "Failed logins of one user within `window` that lead to a ban; 0 is none."),
      field("failures_per_address", &login_guard::failures_per_address, integer<unsigned>(0, 1'000'000), "100",
            "The same of one client address, which may be that of a whole office."),
      field("window", &login_guard::window, time, "1m", "The time over which failures are counted."),
      field("ban", &login_guard::ban, duration(milliseconds{1}, milliseconds{hours{24 * 365}}), "5m",
            "How long the first ban lasts; each further one twice as long, up to a day."),
      field("user_field", &login_guard::user_field, text("form field", "^[^\\r\\n]{0,128}$", check_form_field),
            "username",
            "The field of the login form that names the user. Empty: failures are counted by address alone."),
  });
}

}  // namespace

typed<session_config> describe_session() {
  return mapping<session_config>({
      field("cookie", &session_config::cookie, cookie(), "", "The cookie that carries the session id."),
      field("key", &session_config::key, parsed_text<affixes>("key pattern", R"(^[^{}]*\{id\}[^{}]*$)", around("{id}")),
            "session:{id}", "The Redis key of a session."),
      field("index", &session_config::index,
            parsed_text<affixes>("key pattern", R"(^[^{}]*\{user\}[^{}]*$)", around("{user}")), "user:{user}:sessions",
            "The Redis key of the set of a user's session keys."),
      field("layout", &session_config::layout, choice<key_layout>(), "plain",
            "`tagged`: a user's keys are in one slot of a Redis Cluster."),
      field("store_hashed", &session_config::store_hashed, boolean(), "false",
            "Keys hold the SHA-256 of an id instead of the id, so that what is read in Redis opens nothing."),
      field("encoding", &session_config::encoding, choice<session_encoding>(), "hash",
            "How a session is stored: a hash of doorward's, or what another program writes, which is read only."),
      field("fields", &session_config::fields, fields(), "", "The names of the fields that doorward understands."),
      field("lifetime", &session_config::lifetime, lifetime(), "", "How long sessions live."),
      field("limit", &session_config::limit, limit(), "", "How many sessions a user may have."),
      field("bind", &session_config::bind, binding(), "[]",
            "What of a request must be as at the login: the User-Agent, the network (/24 of IPv4, /48 of IPv6)."),
      field("recheck", &session_config::recheck, duration(milliseconds{0}, milliseconds{std::chrono::minutes{5}}), "1s",
            "How often the sessions of open WebSockets and event streams are looked up again, each once; what is over "
            "ends. 0s is never: then only what is ended through this process, and at the absolute limit."),
      field("envelope", &session_config::envelope, describe_envelope(), "",
            "Session ids that come inside a JWT which somebody else has signed."),
      field("cache", &session_config::cache, cache(), "", "Copies of sessions near the worker."),
  });
}

typed<identity_config> describe_identity() {
  auto const path = parsed_text<std::string>("path", "^/[^*;?#]+$", parse_fixed_path);
  return mapping<identity_config>({
      field("upstream", &identity_config::upstream, any_text("upstream's name"), "",
            "The upstream that logs people in; a name from `upstreams`.")
          .required(),
      field("login", &identity_config::login, path, "/login",
            "This path and everything under it go to the identity service."),
      field("logout", &identity_config::logout, path, "/logout", "The path at which doorward itself ends a session."),
      field("return_to", &identity_config::return_to,
            text("query parameter", "^[A-Za-z0-9._-]{1,64}$", check_parameter), "next",
            "The query parameter that carries the path to come back to."),
      field("mode", &identity_config::mode, choice<identity_mode>(), "grant",
            "`grant`: doorward makes the session on the identity service's word. `external`: that service writes Redis "
            "and "
            "the cookie itself."),
      field("guard", &identity_config::guard, guard(), "", "Protects the identity service from floods and guessing."),
  });
}

}  // namespace doorward::config
