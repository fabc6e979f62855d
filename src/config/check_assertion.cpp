#include <fmt/format.h>

#include <algorithm>

#include "config/sections.hpp"
#include "doorward/base/jws.hpp"
#include "doorward/http/reserved_names.hpp"

namespace doorward::config {
namespace {

bool is_es256(assertion_algorithm a) noexcept {
  return a == assertion_algorithm::es256;
}

// Nothing where the file holds a key for the purpose. `wanted`: "private" or "public".
std::optional<complaint> complaint_about(jws_fault fault, std::string const& file, std::string_view wanted) {
  switch (fault) {
    case jws_fault::none: return std::nullopt;
    case jws_fault::no_key:
      return complaint{fmt::format("the file `{}` holds no {} key in PEM form", file, wanted),
                       wanted == "public" ? "`openssl pkey -in PRIVATE -pubout` writes the public key of a private one"
                                          : "a key with a password cannot be read: there is nobody to ask"};
    case jws_fault::other_kind:
      return complaint{fmt::format("the key in `{}` is not an EC key on P-256", file),
                       "`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` makes one"};
    case jws_fault::contradictory: return complaint{fmt::format("the key in `{}` contradicts itself", file)};
    case jws_fault::too_short:
      return complaint{fmt::format("the secret in `{}` is too short: 32 bytes at least", file),
                       "`openssl rand -hex 32` makes one"};
    case jws_fault::pem:
      return complaint{fmt::format("the file `{}` holds a key in PEM form, not a secret", file),
                       "`algorithm: es256` is for such keys; `openssl rand -hex 32` makes a secret"};
  }
  return std::nullopt;
}

}  // namespace

bool checker::has_key_file(assertion_key const& key, std::string const& path) {
  if (!key.key.empty()) return true;
  if (seen_.given(path + ".key") && seen_.sound(path + ".key")) error(path + ".key", "a file is expected here");
  return false;
}

void checker::check_kids(std::vector<assertion_key> const& keys, std::string const& base) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto const same = std::find_if(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(i),
                                   [&](assertion_key const& k) { return k.kid == keys[i].kid; });
    auto const path = join(base, i) + ".kid";
    if (same != keys.begin() + static_cast<std::ptrdiff_t>(i) && !keys[i].kid.empty() && seen_.sound(path))
      error(path, fmt::format("the same name as `keys[{}]`", same - keys.begin()),
            "whoever verifies finds the key by its name");
  }
}

void checker::check_assertion() {
  auto const& a = doc_.assertion;
  if (a.keys.empty()) return;
  check_kids(a.keys, "assertion.keys");
  for (std::size_t i = 0; i < a.keys.size() && seen_.sound("assertion.algorithm"); ++i) {
    auto const& key = a.keys[i];
    auto const path = join("assertion.keys", i);
    if (!has_key_file(key, path)) continue;
    jws_fault fault{};
    auto const& text = key.key.content.reveal();
    (void)(is_es256(a.algorithm) ? jws_key::es256_private(text, fault) : jws_key::hs256(text, fault));
    if (auto const wrong = complaint_about(fault, key.key.name, "private"))
      error(path + ".key", wrong->text, wrong->suggestion);
  }
  if (a.issuer.empty() && doc_.server.public_origin.empty() && sound("assertion.issuer", "server.public_origin"))
    error("assertion.issuer", "an assertion names who has made it", "give it, or `server.public_origin`");

  auto const folded = http::fold_field_name(a.header);
  auto const same = [&](std::string const& name) { return http::fold_field_name(name) == folded; };
  if (!seen_.sound("assertion.header")) return;
  if (std::ranges::any_of(doc_.headers, same, &header_template::name))
    error("assertion.header", "the same header as one of `headers`");
  if (same(doc_.server.clients.subject_header))
    error("assertion.header", "the same header as `server.client_certificates.subject_header`");
}

void checker::check_envelope() {
  auto const& e = doc_.session.envelope;
  if (e.keys.empty()) return;
  std::string const base = "session.envelope.keys";
  check_kids(e.keys, base);
  for (std::size_t i = 0; i < e.keys.size() && seen_.sound("session.envelope.algorithm"); ++i) {
    auto const& key = e.keys[i];
    auto const path = join(base, i);
    if (!has_key_file(key, path)) continue;
    jws_fault fault{};
    auto const& text = key.key.content.reveal();
    (void)(is_es256(e.algorithm) ? jws_key::es256_public(text, fault) : jws_key::hs256(text, fault));
    if (auto const wrong = complaint_about(fault, key.key.name, "public"))
      error(path + ".key", wrong->text, wrong->suggestion);
  }
  if (doc_.identity.mode != identity_mode::external && seen_.sound("identity.mode"))
    error(base, "in mode `grant` doorward sets the cookie, and it cannot sign a JWT for it",
          "set `identity.mode: external`: who signs sets the cookie");
  if (!doc_.session.cookie.keys.empty() && seen_.sound("session.cookie.keys"))
    error(base, "a cookie is either such a JWT or signed with `session.cookie.keys`");
}

}  // namespace doorward::config
