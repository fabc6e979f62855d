#include "doorward/runtime/snapshot.hpp"

#include <algorithm>

namespace doorward::runtime {
namespace {

using on_nobody = config::unauthenticated_action;

config::route_config own_config(std::string id, std::string path, config::auth_mode auth,
                                on_nobody nobody = on_nobody::reject) {
  config::route_config r;
  r.id = std::move(id);
  r.path = std::move(path);
  r.auth = auth;
  r.unauthenticated = nobody;
  return r;
}

// The question is the proxy's own and changes nothing, whatever the method; what it is about is judged by itself.
config::route_config forward_auth_config() {
  auto r = own_config("(auth)", std::string(forward_auth_path), config::auth_mode::none);
  r.csrf = false;
  return r;
}

std::vector<config::route_config> all_routes(config::model const& m) {
  std::vector<config::route_config> all;
  for (auto& own : own_routes(m.identity))
    all.push_back(std::move(own.config));
  all.insert(all.end(), m.routes.begin(), m.routes.end());
  return all;
}

std::vector<std::string> header_names(config::model const& m) {
  std::vector<std::string> names;
  for (auto const& h : m.headers)
    names.push_back(h.name);
  if (auto const& name = m.server.clients.subject_header; !name.empty()) names.push_back(name);
  if (!m.assertion.keys.empty()) names.push_back(m.assertion.header);
  return names;
}

std::string scheme_of(std::string const& origin) {
  return origin.substr(0, origin.find(':') == std::string::npos ? 0 : origin.find(':'));
}

// RFC 6797 section 6.1.
std::string strict_transport_security(config::hsts_config const& c) {
  if (c.max_age.count() == 0) return {};
  auto line = "Strict-Transport-Security: max-age=" + std::to_string(c.max_age.count());
  if (c.include_subdomains) line += "; includeSubDomains";
  if (c.preload) line += "; preload";
  return line + "\r\n";
}

std::size_t upstream_index(config::model const& m, std::string const& name) {
  auto const it = std::ranges::find(m.upstreams, name, &config::upstream_config::name);
  return static_cast<std::size_t>(it - m.upstreams.begin());
}

std::vector<compiled_route> compile_routes(config::model const& m, session::field_layout const& fields) {
  std::vector<compiled_route> out;
  for (auto& own : own_routes(m.identity)) {
    compiled_route r;
    r.to = own.to;
    r.own_methods = std::move(own.methods);
    r.config = std::move(own.config);
    if (r.to == route_target::login) {
      r.upstream = upstream_index(m, m.identity.upstream);
      r.config.body_bytes = std::min(m.server.limits.body_bytes, longest_form);
    }
    out.push_back(std::move(r));
  }
  for (auto const& c : m.routes) {
    compiled_route r;
    r.to = c.respond ? route_target::respond : route_target::upstream;
    if (!c.respond) r.upstream = upstream_index(m, c.upstream);
    for (auto const& [name, values] : c.allow.fields)
      r.fields.push_back({fields.find(name), values});
    r.config = c;
    out.push_back(std::move(r));
  }
  for (auto& r : out)
    r.body_limit = r.config.body_bytes.value_or(m.server.limits.body_bytes);
  return out;
}

std::vector<identity_header> compile_headers(config::model const& m, session::field_layout const& fields) {
  std::vector<identity_header> out;
  for (auto const& h : m.headers) {
    identity_header compiled{h.name + ": ", {}};
    for (auto const& p : h.parts)
      compiled.parts.push_back(p.is_field ? identity_header::part{{}, fields.find(p.text), true, p.optional}
                                          : identity_header::part{p.text, 0, false, false});
    out.push_back(std::move(compiled));
  }
  return out;
}

std::string cookie_attributes(config::cookie_config const& c) {
  std::string text = "; Path=/; HttpOnly";
  if (c.secure) text += "; Secure";
  switch (c.policy) {
    case config::same_site::lax: text += "; SameSite=Lax"; break;
    case config::same_site::strict: text += "; SameSite=Strict"; break;
    case config::same_site::none: text += "; SameSite=None"; break;
  }
  return text;
}

}  // namespace

std::vector<own_route> own_routes(config::identity_config const& identity) {
  using config::auth_mode;
  using http::method;
  return {{own_config("(login)", identity.login + "/**", auth_mode::none), route_target::login, {}},
          {own_config("(logout)", identity.logout, auth_mode::none), route_target::logout, {method::get, method::post}},
          // Asking who one is does not keep one logged in.
          {own_config("(whoami)", "/.doorward/whoami", auth_mode::passive),
           route_target::whoami,
           {method::get, method::head}},
          {own_config("(sessions)", "/.doorward/sessions", auth_mode::passive, on_nobody::automatic),
           route_target::sessions,
           {method::get, method::head, method::post, method::delete_}},
          {own_config("(session)", "/.doorward/sessions/*", auth_mode::passive, on_nobody::automatic),
           route_target::sessions,
           {method::post, method::delete_}},
          // Public: whoever verifies an assertion has no session.
          {own_config("(jwks)", "/.doorward/jwks", auth_mode::none), route_target::jwks, {method::get, method::head}},
          {forward_auth_config(), route_target::proxy, {}},
          {own_config("(own)", "/.doorward/**", auth_mode::none), route_target::unclaimed, {}}};
}

std::vector<std::string> custom_fields(config::model const& m) {
  std::vector<std::string> names;
  for (auto const& h : m.headers)
    for (auto const& p : h.parts)
      if (p.is_field) names.push_back(p.text);
  for (auto const& r : m.routes)
    for (auto const& [name, values] : r.allow.fields)
      names.push_back(name);
  if (m.session.bind.user_agent) names.emplace_back(session::agent_name);
  if (m.session.bind.ip_prefix) names.emplace_back(session::address_name);
  return names;
}

http::encoded_ids encoded_ids_of(config::cookie_config const& c) {
  using codec = http::encoded_ids::codec;
  switch (c.codec) {
    case config::cookie_codec::plain: break;
    case config::cookie_codec::express: return {codec::express, c.keys};
    case config::cookie_codec::base64: return {codec::base64, {}};
  }
  return {};
}

http::signed_ids signed_ids_of(config::cookie_config const& c) {
  return c.codec == config::cookie_codec::plain ? http::signed_ids(c.name, c.keys) : http::signed_ids();
}

snapshot::snapshot(config::model m)
    : config(std::move(m)),
      table(all_routes(config)),
      fields(config.session.fields, custom_fields(config)),
      reserved(header_names(config)),
      ids(signed_ids_of(config.session.cookie)),
      encoded_ids(encoded_ids_of(config.session.cookie)),
      limits{config.server.limits.header_bytes, config.server.limits.headers, config.server.limits.target_bytes},
      login_prefix(config.identity.login + '?' + config.identity.return_to + '='),
      public_scheme(scheme_of(config.server.public_origin)),
      hsts_line(strict_transport_security(config.server.hsts)),
      expire_cookie(config.session.cookie.name + "=; Max-Age=0" + cookie_attributes(config.session.cookie)) {
  routes = compile_routes(config, fields);
  headers = compile_headers(config, fields);
  if (auto const& name = config.server.clients.subject_header; !name.empty()) certificate_line_start = name + ": ";
}

std::string snapshot::session_cookie(std::string_view id, std::chrono::seconds max_age) const {
  std::string text = config.session.cookie.name + '=';
  text += ids.sign(id);
  if (max_age.count() > 0) text += "; Max-Age=" + std::to_string(max_age.count());
  return text + cookie_attributes(config.session.cookie);
}

bool snapshot::is_trusted(std::array<std::uint8_t, 16> const& address) const noexcept {
  return std::ranges::any_of(config.server.trusted_proxies, [&](config::cidr const& block) {
    auto const whole = block.prefix / 8;
    auto const rest = block.prefix % 8;
    if (!std::equal(address.begin(), address.begin() + whole, block.bytes.begin())) return false;
    if (rest == 0) return true;
    auto const mask = static_cast<std::uint8_t>(0xff << (8 - rest));
    return (address[whole] & mask) == (block.bytes[whole] & mask);
  });
}

}  // namespace doorward::runtime
