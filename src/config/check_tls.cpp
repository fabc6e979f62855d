#include <fmt/format.h>

#include <algorithm>

#include "config/certificates.hpp"
#include "config/sections.hpp"
#include "doorward/base/pem.hpp"
#include "doorward/http/reserved_names.hpp"

namespace doorward::config {

void checker::check_tls() {
  auto& server = doc_.server;
  for (std::size_t i = 0; i < server.tls.size(); ++i)
    check_certificate(server.tls[i].cert, server.tls[i].key, join("server.tls", i));
  complete_names(server.tls);
  for (std::size_t i = 1; i < server.tls.size(); ++i) {
    auto const path = join("server.tls", i);
    if (seen_.sound(path) && server.tls[i].names.empty())
      error(path, "nobody would be shown this certificate: it has no DNS name, and no `names` are given");
  }

  for (std::size_t i = 0; i < server.listen.size(); ++i)
    check_listener_options(server.listen[i], join("server.listen", i));
  bool const any = std::ranges::any_of(server.listen, &listener_config::tls);
  if (!server.tls.empty() && !any && seen_.sound("server.listen"))
    warning("server.tls", "no listener speaks TLS, so the certificates are not used");

  auto const& clients = server.clients;
  std::string const base = "server.client_certificates";
  if (!clients.ca.empty() && seen_.sound(base + ".ca") && !holds_certificates(clients.ca))
    error(base + ".ca", fmt::format("the file `{}` holds no certificate in PEM form", clients.ca.name));
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
    if (!u.tls.ca.empty() && !holds_certificates(u.tls.ca))
      error(path + ".tls.ca", fmt::format("the file `{}` holds no certificate in PEM form", u.tls.ca.name));
    if (u.tls.cert.empty() != u.tls.key.empty() && seen_.sound(path + ".tls"))
      error(path + ".tls", "`cert` and `key` come together");
    else if (!u.tls.cert.empty())
      check_certificate(u.tls.cert, u.tls.key, path + ".tls");
  }
}

void checker::check_listener_options(listener_config const& l, std::string const& path) {
  if (!seen_.sound(path)) return;
  if (l.tls && doc_.server.tls.empty()) error(path + ".tls", "there is no certificate", "give `server.tls`");
  if (l.tls && l.redirect_to_https) error(path + ".redirect_to_https", "this listener speaks TLS itself");
  if (l.proxy_protocol && l.address.type == endpoint::kind::tcp && doc_.server.trusted_proxies.empty())
    error(path + ".proxy_protocol", "nobody could come in", "name the proxies in `server.trusted_proxies`");
}

void checker::check_certificate(file_text const& cert, file_text const& key, std::string const& path) {
  if (cert.empty() || key.empty() || !sound(path + ".cert", path + ".key")) return;
  if (auto const fault = find_fault(cert, key)) {
    error(path + '.' + std::string(fault->key), fault->text, fault->suggestion);
    return;
  }
  if (!is_current(read_certificates(cert.content.reveal()).front()))
    warning(path + ".cert", "the certificate is not valid today: clients will refuse it");
}

}  // namespace doorward::config
