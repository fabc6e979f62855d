#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "config/address.hpp"
#include "config/header_rules.hpp"
#include "config/scalars.hpp"
#include "config/sections.hpp"
#include "config/suggest.hpp"
#include "doorward/base/encoding.hpp"
#include "doorward/http/path_pattern.hpp"
#include "doorward/http/reserved_names.hpp"

namespace doorward::config {
namespace {

endpoint default_address(char const* text) {
  auto const parsed = parse_listen(text);
  return *std::get_if<endpoint>(&parsed);
}

// Two listeners that cannot both be had. Port 0 is another port each time.
bool same_address(endpoint const& a, endpoint const& b) {
  return a.type == b.type && a.host == b.host && a.port == b.port && a.path == b.path &&
         (a.type == endpoint::kind::unix_socket || a.port != 0);
}

// Browsers compare these without regard to case.
bool has_secure_prefix(std::string_view name) {
  constexpr std::string_view host = "__Host-";
  constexpr std::string_view secure = "__Secure-";
  return iequals(name.substr(0, host.size()), host) || iequals(name.substr(0, secure.size()), secure);
}

bool is_https(std::string const& origin) {
  return origin.starts_with("https://");
}

}  // namespace

void checker::error(std::string const& path, std::string text, std::string suggestion) {
  problems_.error(seen_.of(path), path, std::move(text), std::move(suggestion));
}

void checker::warning(std::string const& path, std::string text, std::string suggestion) {
  problems_.warning(seen_.of(path), path, std::move(text), std::move(suggestion));
}

void checker::run() {
  resolve_server();
  resolve_redis();
  resolve_cookie();
  resolve_foreign_fields();
  resolve_headers();
  resolve_routes();
  check_listeners();
  check_server();
  check_tls();
  check_session();
  check_cookie_keys();
  check_foreign_sessions();
  check_identity();
  check_headers();
  check_assertion();
  check_envelope();
  check_upstreams();
  for (std::size_t i = 0; i < doc_.routes.size(); ++i)
    check_route(doc_.routes[i], join("routes", i));
  check_step_up();
  check_ids();
  check_reachable();
  check_final_slash();
  check_rewrites();
}

void checker::resolve_server() {
  auto& server = doc_.server;
  if (!seen_.given("server.listen")) server.listen = {{.address = default_address(default_listen)}};
  for (std::size_t i = 0; i < server.listen.size(); ++i) {
    auto& l = server.listen[i];
    bool const can = !server.tls.empty() && l.address.type == endpoint::kind::tcp && !l.redirect_to_https;
    if (!seen_.chosen(join("server.listen", i) + ".tls")) l.tls = can;
  }
  if (!seen_.given("admin.listen")) doc_.admin.listen = default_address(default_admin_listen);
}

void checker::resolve_redis() {
  auto& section = doc_.redis_as_written;
  if (!seen_.given("redis.url")) {
    auto const url = parse_redis_url(default_redis_url);
    section.url = *std::get_if<redis_url>(&url);
  }
  auto& redis = doc_.redis;
  redis.server = section.url.server;
  redis.database = section.url.database;
  redis.username = !section.username.empty() ? section.username : section.url.username.value_or("");
  redis.password = !section.password.empty() ? section.password : section.url.password.value_or(redacted{});
  redis.connect_timeout = section.connect_timeout;
  redis.command_timeout = section.command_timeout;
  bool const all_sound = sound("redis.url", "redis.username") && seen_.sound("redis.password");
  if (all_sound && !redis.username.empty() && redis.password.empty()) {
    error(seen_.given("redis.username") ? "redis.username" : "redis.url", "a user needs a password",
          "give `redis.password`, or leave the user out");
  }
}

void checker::resolve_cookie() {
  auto& cookie = doc_.session.cookie;
  auto const& server = doc_.server;
  if (!seen_.chosen("session.cookie.secure")) {
    // One that only sends to https serves nobody.
    bool const plain_and_local = std::all_of(server.listen.begin(), server.listen.end(), [](listener_config const& l) {
      return l.redirect_to_https || (is_local(l.address) && !l.tls);
    });
    cookie.secure = !plain_and_local || is_https(server.public_origin);
  }
  if (!seen_.given("session.cookie.name")) cookie.name = cookie.secure ? "__Host-sid" : "sid";
}

void checker::resolve_headers() {
  for (auto& h : doc_.headers) {
    auto const* place = seen_.find(join("headers", h.name));
    h.external = place != nullptr && place->external;
  }
  if (seen_.given("headers")) return;
  auto const& fields = doc_.session.fields;
  doc_.headers.push_back({"X-User-Id", {{fields.user, true, false}}, {1, 1}});
  doc_.headers.push_back({"X-User-Role", {{fields.roles, true, true}}, {1, 1}});
}

void checker::check_listeners() {
  std::vector<std::pair<endpoint const*, std::string>> all;
  auto const& listen = doc_.server.listen;
  for (std::size_t i = 0; i < listen.size(); ++i) {
    auto const item = join("server.listen", i);
    all.emplace_back(&listen[i].address, seen_.given(item) ? item : "server.listen");
  }
  if (doc_.admin.listen) all.emplace_back(&*doc_.admin.listen, "admin.listen");
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      auto const& [later, path] = all[i];
      auto const& [earlier, other] = all[k];
      if (!same_address(*earlier, *later) || !sound(path, other)) continue;
      bool const by_default = !seen_.given(path);
      error(by_default ? other : path, fmt::format("the same address as {}", by_default ? path : other));
      break;
    }
  }
}

void checker::check_server() {
  auto const& limits = doc_.server.limits;
  bool const trusted = sound("server.limits.target_bytes", "server.limits.header_bytes");
  if (trusted && limits.target_bytes > limits.header_bytes) {
    bool const given = seen_.given("server.limits.target_bytes");
    error(given ? "server.limits.target_bytes" : "server.limits.header_bytes",
          fmt::format("target_bytes ({}) must not be more than header_bytes ({})", size_text(limits.target_bytes),
                      size_text(limits.header_bytes)));
  }
  auto const& proxies = doc_.server.trusted_proxies;
  for (std::size_t i = 0; i < proxies.size(); ++i) {
    auto const item = join("server.trusted_proxies", i);
    bool const everybody = proxies[i].prefix == 0 || cidr_text(proxies[i]) == "0.0.0.0/0";
    if (seen_.sound(item) && everybody) {
      warning(item, "everybody's X-Forwarded-* headers are believed", "name the proxies in front, and nobody else");
    }
  }
}

void checker::check_session() {
  auto const& session = doc_.session;
  auto const& cookie = session.cookie;
  // What `auto` means follows from the listeners and the origin.
  bool const decided = seen_.sound("session.cookie.secure") && sound("server.listen", "server.public_origin");
  if (decided && seen_.sound("session.cookie.name") && !cookie.secure) {
    if (has_secure_prefix(cookie.name)) {
      error("session.cookie.name", "browsers take a cookie of this name only when it is Secure",
            "set `session.cookie.secure: true`, or choose another name");
    }
    if (cookie.policy == same_site::none) {
      error("session.cookie.same_site", "browsers take `none` only for cookies that are Secure",
            "set `session.cookie.secure: true`");
    }
    if (is_https(doc_.server.public_origin)) {
      warning("session.cookie.secure",
              "the cookie would also be sent over plain http, although public_origin is https");
    }
  }

  auto const& life = session.lifetime;
  std::string const base = "session.lifetime.";
  auto const at_most = [&](char const* shorter, char const* longer, seconds a, seconds b, bool or_equal) {
    if (!sound(base + shorter, base + longer) || a < b || (or_equal && a == b)) return;
    bool const first_given = seen_.given(base + shorter);
    error(base + (first_given ? shorter : longer),
          fmt::format("{} ({}) must {} {} ({})", shorter, duration_text(a),
                      or_equal ? "not be more than" : "be less than", longer, duration_text(b)));
  };
  at_most("idle", "absolute", life.idle, life.absolute, true);
  at_most("remember_idle", "remember_absolute", life.remember_idle, life.remember_absolute, true);
  at_most("touch_every", "idle", life.touch_every, life.idle, false);
  at_most("touch_every", "remember_idle", life.touch_every, life.remember_idle, false);

  if (life.streams && session.recheck.count() == 0 && seen_.sound("session.lifetime.streams"))
    error("session.lifetime.streams", "an open stream extends its session when that is looked up again",
          "give `session.recheck`, or leave this out");

  auto const& f = session.fields;
  std::vector<std::pair<char const*, std::string const*>> const names{
      {"user", &f.user}, {"roles", &f.roles}, {"created", &f.created}, {"last_seen", &f.last_seen}};
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (*names[i].second != *names[k].second) continue;
      auto const path =
          fmt::format("session.fields.{}", names[seen_.given(join("session.fields", names[i].first)) ? i : k].first);
      if (seen_.sound(path))
        error(path, fmt::format("`{}` and `{}` must be different fields", names[k].first, names[i].first));
    }
  }
  bool const collide = session.key.prefix == session.index.prefix && session.key.suffix == session.index.suffix;
  if (collide && sound("session.key", "session.index")) {
    error("session.index", "a user's index must not have the same keys as sessions");
  }
}

void checker::check_identity() {
  auto const& id = doc_.identity;
  if (seen_.given("identity.upstream") && seen_.sound("identity.upstream")) {
    check_upstream_name("identity.upstream", id.upstream);
  }
  if (!sound("identity.login", "identity.logout")) return;
  auto const path = seen_.given("identity.logout") ? "identity.logout" : "identity.login";
  if (id.login == id.logout) {
    error(path, "login and logout must be different paths");
  } else if (http::starts_with_segments(id.logout, id.login)) {
    error(path, "the logout path must not be under the login path: everything there goes to the identity service");
  }
}

void checker::check_headers() {
  std::map<std::string, header_template const*> known;
  for (auto const& h : doc_.headers) {
    auto const [at, fresh] = known.emplace(http::fold_field_name(h.name), &h);
    if (fresh) continue;
    problems_.error(
        h.where, join("headers", h.name),
        fmt::format(
            "the same header as `{}` on line {}: only letters and digits tell headers apart, and not their case",
            at->second->name, at->second->where.line));
  }
}

void checker::check_upstreams() {
  if (seen_.given("upstreams") && doc_.upstreams.empty() && seen_.sound("upstreams")) {
    error("upstreams", "at least one upstream is required");
  }
  for (auto const& u : doc_.upstreams) {
    auto const base = join("upstreams", u.name) + ".endpoints";
    for (std::size_t i = 0; i < u.endpoints.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        if (same_address(u.endpoints[i], u.endpoints[k]) && sound(join(base, i), join(base, k))) {
          error(join(base, i), "the same endpoint twice");
          break;
        }
      }
    }
  }
}

void checker::check_upstream_name(std::string const& path, std::string const& name) {
  std::vector<std::string> names;
  for (auto const& u : doc_.upstreams)
    names.push_back(u.name);
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  error(path, "there is no upstream of this name", suggest(name, names));
}

}  // namespace doorward::config
