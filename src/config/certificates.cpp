#include "config/certificates.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/interpolate.hpp"
#include "doorward/base/encoding.hpp"
#include "doorward/base/pem.hpp"
#include "doorward/config/load.hpp"

namespace doorward::config {

std::optional<std::string> find_no_certificate(file_text const& file) {
  if (!read_certificates(file.content.reveal()).empty()) return std::nullopt;
  return fmt::format("the file `{}` holds no certificate in PEM form", file.name);
}

std::optional<certificate_fault> find_fault(file_text const& cert, file_text const& key) {
  if (auto const none = find_no_certificate(cert)) return certificate_fault{"cert", *none, {}};
  auto const chain = read_certificates(cert.content.reveal());
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

std::optional<certificate_fault> find_fault(tls_certificate const& c) {
  if (auto fault = find_fault(c.cert, c.key)) return fault;
  if (c.ocsp.empty()) return std::nullopt;
  switch (judge_ocsp(c.ocsp.content.reveal(), read_certificates(c.cert.content.reveal()).front())) {
    case ocsp_verdict::malformed:
      return certificate_fault{
          "ocsp", fmt::format("the file `{}` holds no OCSP response in DER form", c.ocsp.name), {}};
    case ocsp_verdict::foreign:
      return certificate_fault{"ocsp", fmt::format("the OCSP response is not of `{}`", c.cert.name), {}};
    case ocsp_verdict::outdated:
    case ocsp_verdict::fitting: break;
  }
  return std::nullopt;
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

certificate_ptr first_of(tls_certificate const& c) {
  return std::move(read_certificates(c.cert.content.reveal()).front());
}

// Reads files again.
struct reading_again {
  milliseconds settled;
  bool changed = false;    // something is not what it was
  bool unsettled = false;  // something may yet change
  std::string error = {};

  // False when it cannot be read.
  bool read(file_text& file) {
    if (file.empty()) return true;
    auto content = read_file(file.name, file.found, max_certificate_file_bytes);
    if (auto const* wrong = std::get_if<complaint>(&content)) {
      error = wrong->text;
      return false;
    }
    redacted fresh{*std::get_if<std::string>(&content)};
    if (fresh == file.content) return true;
    changed = true;
    std::error_code ignored;
    auto const written = std::filesystem::last_write_time(file.found, ignored);
    unsettled = unsettled || std::filesystem::file_time_type::clock::now() - written < settled;
    file.content = std::move(fresh);
    return true;
  }
};

}  // namespace

reread reread_certificates(server_config const& now, milliseconds settled) {
  reread out;
  auto fresh = now;
  reading_again files{settled};
  bool readable = files.read(fresh.clients.ca);
  for (auto& c : fresh.tls)
    readable = readable && files.read(c.cert) && files.read(c.key) && files.read(c.ocsp);
  out.error = files.error;
  if (!readable || !files.changed || files.unsettled) return out;
  complete_names(fresh.tls);
  for (std::size_t i = 0; i < fresh.tls.size(); ++i) {
    auto const& c = fresh.tls[i];
    if (auto const fault = find_fault(c)) {
      out.error = fault->text;
      return out;
    }
    if (!is_current(first_of(c)) && is_current(first_of(now.tls[i]))) {
      out.error = fmt::format("the certificate in `{}` is not valid today, and the one before it is", c.cert.name);
      return out;
    }
    if (i > 0 && c.names.empty()) {
      out.error = fmt::format("the certificate in `{}` has no DNS name any more", c.cert.name);
      return out;
    }
  }
  if (!fresh.clients.ca.empty()) {
    if (auto const none = find_no_certificate(fresh.clients.ca)) {
      out.error = *none;
      return out;
    }
  }
  out.value = std::move(fresh);
  return out;
}

}  // namespace doorward::config
