#include "config/certificates.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/interpolate.hpp"
#include "doorward/base/encoding.hpp"
#include "doorward/base/pem.hpp"
#include "doorward/config/load.hpp"

namespace doorward::config {

std::optional<certificate_fault> find_fault(file_text const& cert, file_text const& key) {
  auto const chain = read_certificates(cert.content.reveal());
  if (chain.empty())
    return certificate_fault{"cert", fmt::format("the file `{}` holds no certificate in PEM form", cert.name), {}};
  auto const secret = read_private_key(key.content.reveal());
  if (!secret) {
    return certificate_fault{"key", fmt::format("the file `{}` holds no private key in PEM form", key.name),
                             "a key with a password cannot be read: there is nobody to ask"};
  }
  if (!belong_together(chain.front(), secret)) {
    return certificate_fault{"key", fmt::format("the key is not the one of `{}`", cert.name),
                             "the certificate comes first in its file, then its issuers"};
  }
  return std::nullopt;
}

bool holds_certificates(file_text const& file) {
  return !read_certificates(file.content.reveal()).empty();
}

void complete_names(std::vector<tls_certificate>& all) {
  for (auto& c : all) {
    for (auto& n : c.names)
      std::transform(n.begin(), n.end(), n.begin(), to_lower);
    if (!c.names.empty() && !c.names_found) continue;
    auto const chain = read_certificates(c.cert.content.reveal());
    c.names_found = true;
    if (!chain.empty()) c.names = dns_names(chain.front());
  }
}

namespace {

// False when it cannot be read; `changed` when it is not what it was.
bool read_again(file_text& file, bool& changed, std::string& error) {
  if (file.empty()) return true;
  auto content = read_file(file.name, file.found, max_certificate_file_bytes);
  if (auto const* wrong = std::get_if<complaint>(&content)) {
    error = wrong->text;
    return false;
  }
  redacted fresh{*std::get_if<std::string>(&content)};
  changed = changed || fresh != file.content;
  file.content = std::move(fresh);
  return true;
}

}  // namespace

reread reread_certificates(server_config const& now) {
  reread out;
  auto fresh = now;
  bool changed = false;
  for (auto& c : fresh.tls) {
    if (!read_again(c.cert, changed, out.error) || !read_again(c.key, changed, out.error) ||
        !read_again(c.ocsp, changed, out.error))
      return out;
  }
  if (!read_again(fresh.clients.ca, changed, out.error)) return out;
  if (!changed) return out;
  for (auto const& c : fresh.tls) {
    if (auto const fault = find_fault(c.cert, c.key)) {
      out.error = fault->text;
      return out;
    }
  }
  if (!fresh.clients.ca.empty() && !holds_certificates(fresh.clients.ca)) {
    out.error = fmt::format("the file `{}` holds no certificate in PEM form", fresh.clients.ca.name);
    return out;
  }
  complete_names(fresh.tls);
  out.value = std::move(fresh);
  return out;
}

}  // namespace doorward::config
