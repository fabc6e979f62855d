#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/certificates.hpp"
#include "config/sections.hpp"
#include "doorward/base/pem.hpp"
#include "doorward/http/reserved_names.hpp"

namespace doorward::config {

void checker::check_tls() {
  auto& server = doc_.server;
  check_certificates();
  for (std::size_t i = 0; i < server.listen.size(); ++i)
    check_listener_options(server.listen[i], join("server.listen", i));
  bool const any = std::ranges::any_of(server.listen, &listener_config::tls);
  if (!server.tls.empty() && !any && seen_.sound("server.listen"))
    warning("server.tls", "no listener speaks TLS, so the certificates are not used");

  auto const& clients = server.clients;
  std::string const base = "server.client_certificates";
  if (!clients.ca.empty() && seen_.sound(base + ".ca"))
    if (auto const none = find_no_certificate(clients.ca)) error(base + ".ca", *none);
  if (clients.ca.empty() && seen_.sound(base + ".ca")) {
    if (clients.required) error(base + ".required", "nobody could come in", "give `ca`: who vouches for the clients");
    if (!clients.subject_header.empty())
      error(base + ".subject_header", "without `ca` no client is asked for a certificate");
  } else if (!any && seen_.sound("server.listen") && seen_.sound("server.tls")) {
    error(base, "no listener speaks TLS, so no client is asked for a certificate", "give `server.tls`");
  }
  for (auto const& h : doc_.headers) {
    if (clients.subject_header.empty() ||
        http::fold_field_name(h.name) != http::fold_field_name(clients.subject_header))
      continue;
    error(base + ".subject_header", "the same header as one of `headers`");
  }

  if (server.hsts.max_age.count() > 0 && !any && seen_.sound("server.listen"))
    warning("server.hsts", "no listener speaks TLS, and over plain http it is not said");

  for (auto const& u : doc_.upstreams) {
    auto const path = join("upstreams", u.name);
    bool const given = !u.tls.ca.empty() || !u.tls.cert.empty() || !u.tls.key.empty() || !u.tls.server_name.empty();
    bool const used = std::ranges::any_of(u.endpoints, &endpoint::tls);
    if (given && !used && seen_.sound(path)) error(path + ".tls", "no endpoint is `https://`");
    if (!u.tls.ca.empty())
      if (auto const none = find_no_certificate(u.tls.ca)) error(path + ".tls.ca", *none);
    if (u.tls.cert.empty() != u.tls.key.empty() && seen_.sound(path + ".tls"))
      error(path + ".tls", "`cert` and `key` come together");
    else if (!u.tls.cert.empty() && sound(path + ".tls.cert", path + ".tls.key"))
      check_certificate({u.tls.cert, u.tls.key, {}, {}}, path + ".tls");
  }
}

void checker::check_listener_options(listener_config const& l, std::string const& path) {
  if (!seen_.sound(path)) return;
  if (l.tls && doc_.server.tls.empty()) error(path + ".tls", "there is no certificate", "give `server.tls`");
  if (l.tls && l.redirect_to_https) error(path + ".redirect_to_https", "this listener speaks TLS itself");
  if (l.proxy_protocol && l.address.type == endpoint::kind::tcp && doc_.server.trusted_proxies.empty())
    error(path + ".proxy_protocol", "nobody could come in", "name the proxies in `server.trusted_proxies`");
}

void checker::check_certificates() {
  auto& all = doc_.server.tls;
  auto const usable = [&](std::size_t i) {
    auto const path = join("server.tls", i);
    return !all[i].cert.empty() && !all[i].key.empty() && seen_.sound(path);
  };
  std::vector<bool> good(all.size());
  for (std::size_t i = 0; i < all.size(); ++i)
    good[i] = usable(i) && check_certificate(all[i], join("server.tls", i));
  complete_names(all);
  std::set<std::string> shown;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!good[i]) continue;
    auto const path = join("server.tls", i);
    auto const& names = all[i].names;
    if (i > 0 && names.empty())
      error(path, "nobody would be shown this certificate: it has no DNS name, and no `names` are given");
    else if (i > 0 && std::ranges::all_of(names, [&](auto const& n) { return shown.contains(n); }))
      warning(path, "nobody would be shown this certificate: earlier ones have all of its names");
    auto const chain = read_certificates(all[i].cert.content.reveal());
    for (auto const& n : names)
      if (!is_for(chain.front(), n))
        warning(path + ".names", fmt::format("the certificate is not for `{}`: clients will refuse it", n));
    shown.insert(names.begin(), names.end());
  }
}

bool checker::check_certificate(tls_certificate const& c, std::string const& path) {
  if (auto const fault = find_fault(c)) {
    error(path + '.' + std::string(fault->key), fault->text, fault->suggestion);
    return false;
  }
  auto const chain = read_certificates(c.cert.content.reveal());
  if (!is_current(chain.front())) warning(path + ".cert", "the certificate is not valid today: clients will refuse it");
  if (!c.ocsp.empty() && judge_ocsp(c.ocsp.content.reveal(), chain.front()) == ocsp_verdict::outdated)
    warning(path + ".ocsp", "this OCSP response is outdated: it is not shown");
  return true;
}

}  // namespace doorward::config
