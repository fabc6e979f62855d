#include <nlohmann/json.hpp>

#include "config/address.hpp"
#include "config/header_rules.hpp"
#include "config/scalars.hpp"
#include "doorward/config/load.hpp"
#include "doorward/config/words.hpp"
#include "doorward/http/signed_ids.hpp"

// The same keys, in the same order and notation, as the file has: what this writes can be read back.
namespace doorward::config {
namespace {

using json = nlohmann::ordered_json;

constexpr char hidden[] = "<redacted>";

// A text of the file's author: a dollar in it is doubled, as in the file.
std::string written(std::string_view text) {
  std::string out;
  for (char const c : text)
    out.append(c == '$' ? 2 : 1, c);
  return out;
}

json written(std::vector<std::string> const& texts) {
  auto out = json::array();
  for (auto const& t : texts)
    out.push_back(written(t));
  return out;
}

template <class T>
std::string time(T value) {
  return duration_text(std::chrono::duration_cast<milliseconds>(value));
}

json endpoints(std::vector<endpoint> const& all) {
  auto out = json::array();
  for (auto const& e : all) {
    bool const tcp = e.type == endpoint::kind::tcp;
    out.push_back(written((tcp ? e.tls ? "https://" : "http://" : "") + endpoint_text(e)));
  }
  return out;
}

json listeners(std::vector<listener_config> const& all) {
  auto out = json::array();
  for (auto const& l : all) {
    out.push_back({{"address", written(endpoint_text(l.address))},
                   {"tls", l.tls},
                   {"redirect_to_https", l.redirect_to_https},
                   {"proxy_protocol", l.proxy_protocol},
                   {"connections", l.connections}});
  }
  return out;
}

json certificates(std::vector<tls_certificate> const& all) {
  auto out = json::array();
  for (auto const& c : all) {
    out.push_back({{"cert", written(c.cert.name)},
                   {"key", written(c.key.name)},
                   {"ocsp", written(c.ocsp.name)},
                   {"names", written(c.names)}});
  }
  return out;
}

json server(server_config const& s) {
  auto proxies = json::array();
  for (auto const& p : s.trusted_proxies)
    proxies.push_back(cidr_text(p));
  auto const& t = s.timeouts;
  auto const& l = s.limits;
  return {{"listen", listeners(s.listen)},
          {"workers", s.workers == 0 ? json("auto") : json(s.workers)},
          {"public_origin", s.public_origin},
          {"trusted_proxies", std::move(proxies)},
          {"tls", certificates(s.tls)},
          {"client_certificates",
           {{"ca", written(s.clients.ca.name)},
            {"required", s.clients.required},
            {"subject_header", s.clients.subject_header}}},
          {"hsts",
           {{"max_age", time(s.hsts.max_age)},
            {"include_subdomains", s.hsts.include_subdomains},
            {"preload", s.hsts.preload}}},
          {"timeouts",
           {{"header", time(t.header)},
            {"body_idle", time(t.body_idle)},
            {"idle", time(t.idle)},
            {"write_idle", time(t.write_idle)},
            {"stream_idle", time(t.stream_idle)},
            {"drain_delay", time(t.drain_delay)},
            {"drain", time(t.drain)}}},
          {"limits",
           {{"header_bytes", size_text(l.header_bytes)},
            {"headers", l.headers},
            {"target_bytes", size_text(l.target_bytes)},
            {"body_bytes", size_text(l.body_bytes)},
            {"connections", l.connections},
            {"connections_per_address", l.connections_per_address}}}};
}

json redis(redis_config const& r) {
  bool const unix_socket = r.server.type == endpoint::kind::unix_socket;
  auto const url = unix_socket ? "unix://" + r.server.path + "?db=" + std::to_string(r.database)
                               : "redis://" + endpoint_text(r.server) + "/" + std::to_string(r.database);
  return {{"url", written(url)},
          {"username", written(r.username)},
          {"password", r.password.empty() ? "" : hidden},
          {"timeouts", {{"connect", time(r.connect_timeout)}, {"command", time(r.command_timeout)}}}};
}

json keys(std::vector<assertion_key> const& all) {
  auto out = json::array();
  for (auto const& k : all)
    out.push_back({{"kid", written(k.kid)}, {"key", written(k.key.name)}});
  return out;
}

json envelope(envelope_config const& e) {
  return {{"algorithm", word_for(e.algorithm)},
          {"keys", keys(e.keys)},
          {"claim", written(e.claim)},
          {"issuer", written(e.issuer)},
          {"audience", written(e.audience)}};
}

json assertion(assertion_config const& a) {
  return {{"header", a.header},
          {"algorithm", word_for(a.algorithm)},
          {"keys", keys(a.keys)},
          {"lifetime", time(a.lifetime)},
          {"issuer", written(a.issuer)}};
}

// What is shown is too short to be read back as a key: nobody is to sign with it by mistake.
json keys(cookie_config const& c) {
  auto out = json::array();
  // An application's secret may be a short word: its kid would be enough to guess it by.
  if (c.codec != cookie_codec::plain) {
    for (std::size_t i = 0; i < c.keys.size(); ++i)
      out.push_back("<redacted>");
    return out;
  }
  for (auto const& kid : http::signed_ids(c.name, c.keys).kids())
    out.push_back("<redacted, kid " + kid + '>');
  return out;
}

json session(session_config const& s) {
  auto const& l = s.lifetime;
  auto const& f = s.fields;
  auto bound = json::array();
  if (s.bind.user_agent) bound.push_back("user_agent");
  if (s.bind.ip_prefix) bound.push_back("ip_prefix");
  return {{"cookie",
           {{"name", written(s.cookie.name)},
            {"secure", s.cookie.secure},
            {"same_site", word_for(s.cookie.policy)},
            {"codec", word_for(s.cookie.codec)},
            {"shared", s.cookie.shared},
            {"keys", keys(s.cookie)}}},
          {"key", written(s.key.prefix) + "{id}" + written(s.key.suffix)},
          {"index", written(s.index.prefix) + "{user}" + written(s.index.suffix)},
          {"layout", word_for(s.layout)},
          {"store_hashed", s.store_hashed},
          {"encoding", word_for(s.encoding)},
          {"fields",
           {{"user", written(f.user)},
            {"roles", written(f.roles)},
            {"created", written(f.created)},
            {"last_seen", written(f.last_seen)}}},
          {"lifetime",
           {{"idle", time(l.idle)},
            {"absolute", time(l.absolute)},
            {"remember_idle", time(l.remember_idle)},
            {"remember_absolute", time(l.remember_absolute)},
            {"touch_every", time(l.touch_every)},
            {"streams", l.streams}}},
          {"limit",
           {{"per_user", s.limit.per_user},
            {"per_device", s.limit.per_device},
            {"when_full", word_for(s.limit.when_full)}}},
          {"bind", std::move(bound)},
          {"recheck", time(s.recheck)},
          {"envelope", envelope(s.envelope)}};
}

json identity(identity_config const& i) {
  auto const& g = i.guard;
  return {{"upstream", i.upstream},
          {"login", written(i.login)},
          {"logout", written(i.logout)},
          {"return_to", i.return_to},
          {"mode", word_for(i.mode)},
          {"guard",
           {{"in_flight", g.in_flight},
            {"queue", g.queue},
            {"queue_timeout", time(g.queue_timeout)},
            {"failures", g.failures},
            {"failures_per_address", g.failures_per_address},
            {"window", time(g.window)},
            {"ban", time(g.ban)},
            {"user_field", written(g.user_field)}}}};
}

json upstreams(std::vector<upstream_config> const& all) {
  auto out = json::object();
  for (auto const& u : all) {
    out[u.name] = {{"endpoints", endpoints(u.endpoints)},
                   {"timeouts",
                    {{"connect", time(u.timeouts.connect)},
                     {"first_byte", time(u.timeouts.first_byte)},
                     {"idle", time(u.timeouts.idle)}}},
                   {"tls",
                    {{"ca", written(u.tls.ca.name)},
                     {"cert", written(u.tls.cert.name)},
                     {"key", written(u.tls.key.name)},
                     {"server_name", u.tls.server_name}}},
                   {"retries", u.retries},
                   {"connections", u.connections}};
  }
  return out;
}

// A constant in a header is an application's shared secret more often than not, when it came from outside the file.
json header(header_template const& h) {
  auto parts = h.parts;
  for (auto& p : parts) {
    if (h.external && !p.is_field) p.text = hidden;
  }
  return written(template_text(parts));
}

json allow(allow_rule const& a) {
  json out = json::object();
  if (!a.roles.empty()) out["roles"] = written(a.roles);
  for (auto const& [name, values] : a.fields)
    out["fields"][name] = written(values);
  return out;
}

json route(route_config const& r) {
  json out{{"id", written(r.id)}};
  if (!r.host.empty()) out["host"] = r.host;
  out["path"] = written(r.path);
  if (!r.methods.empty()) out["methods"] = written(r.methods);
  out["auth"] = word_for(r.auth);
  if (!r.allow.empty()) out["allow"] = allow(r.allow);
  if (!r.require.empty()) out["require"] = {{"acr", r.require.acr}, {"max_age", time(r.require.max_age)}};
  out["unauthenticated"] = word_for(r.unauthenticated);
  if (r.respond) {
    out["respond"] = *r.respond;
  } else {
    out["upstream"] = r.upstream;
    if (!r.strip_prefix.empty()) out["strip_prefix"] = written(r.strip_prefix);
    if (!r.rewrite.empty()) out["rewrite"] = written(r.rewrite);
    if (r.total_timeout.count() > 0) out["timeouts"] = {{"total", time(r.total_timeout)}};
  }
  if (r.body_bytes) out["body_bytes"] = size_text(*r.body_bytes);
  out["csrf"] = r.csrf;
  out["upgrade"] = r.upgrade;
  return out;
}

}  // namespace

std::string to_json(model const& m) {
  auto headers = json::object();
  for (auto const& h : m.headers)
    headers[h.name] = header(h);
  auto routes = json::array();
  for (auto const& r : m.routes)
    routes.push_back(route(r));
  json const out{
      {"version", 1},
      {"server", server(m.server)},
      {"admin",
       {{"listen", m.admin.listen ? written(endpoint_text(*m.admin.listen)) : ""},
        {"token", m.admin.token.empty() ? "" : hidden}}},
      {"redis", redis(m.redis)},
      {"session", session(m.session)},
      {"identity", identity(m.identity)},
      {"assertion", assertion(m.assertion)},
      {"upstreams", upstreams(m.upstreams)},
      {"headers", std::move(headers)},
      {"routes", std::move(routes)},
      {"log", {{"level", word_for(m.log.level)}, {"format", word_for(m.log.format)}, {"access", m.log.access}}}};
  // Whatever a session field's name or a route holds, this must not throw.
  return out.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace doorward::config
