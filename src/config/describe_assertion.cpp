#include <algorithm>

#include "config/header_rules.hpp"
#include "config/sections.hpp"
#include "doorward/base/encoding.hpp"

namespace doorward::config {
namespace {

typed<std::vector<assertion_key>> keys(std::string key_doc) {
  auto const kid = text("key's name", "^[A-Za-z0-9._~-]{1,64}$", [](std::string_view name) {
    auto const fine = [](char c) { return is_unreserved(static_cast<unsigned char>(c)); };
    if (!name.empty() && name.size() <= 64 && std::ranges::all_of(name, fine)) return std::optional<complaint>{};
    return std::optional{complaint{"a key's name has 1 to 64 letters, digits, `.`, `_`, `~` and `-`"}};
  });
  return list(mapping<assertion_key>({
      field("kid", &assertion_key::kid, kid, "", "Its name, which the token carries; no two keys have the same.")
          .required(),
      field("key", &assertion_key::key, file(), "", std::move(key_doc)).required(),
  }));
}

}  // namespace

typed<assertion_config> describe_assertion() {
  auto const header =
      text("header name", "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", [](std::string_view name) -> std::optional<complaint> {
        // The one of doorward's own names that goes upstream.
        if (iequals(name, "Doorward-Assertion")) return std::nullopt;
        return check_header_name(name);
      });
  return mapping<assertion_config>({
      field("header", &assertion_config::header, header, "Doorward-Assertion",
            "The header that carries it. Removed from every request, like those of `headers`."),
      field("algorithm", &assertion_config::algorithm, choice<assertion_algorithm>(), "es256",
            "`es256`: whoever has the public key can verify it. `hs256`: whoever can verify it can sign as well."),
      field(
          "keys", &assertion_config::keys,
          keys("`es256`: an EC private key on P-256, PEM, without a password. `hs256`: the secret, 32 bytes at least."),
          "[]", "The first signs; all are published. Without keys there are no assertions."),
      field("lifetime", &assertion_config::lifetime, duration(seconds{2}, seconds{60}), "60s",
            "How long one is good. At least half of that is left when it is sent."),
      field("issuer", &assertion_config::issuer, any_text("text"), "\"\"", "`iss`. Empty: `server.public_origin`."),
  });
}

typed<envelope_config> describe_envelope() {
  auto const claim = text("claim's name", "^.{1,128}$", [](std::string_view name) -> std::optional<complaint> {
    if (!name.empty() && name.size() <= 128) return std::nullopt;
    return complaint{"a claim's name has 1 to 128 bytes"};
  });
  return mapping<envelope_config>({
      field("algorithm", &envelope_config::algorithm, choice<assertion_algorithm>(), "es256",
            "The one `alg` that is taken."),
      field("keys", &envelope_config::keys,
            keys("`es256`: an EC public key on P-256, PEM. `hs256`: the secret, 32 bytes at least."), "[]",
            "Whose signature is believed. With keys, the cookie's value is such a JWT. Without, it is the id."),
      field("claim", &envelope_config::claim, claim, "sid", "The claim that holds the session id."),
      field("issuer", &envelope_config::issuer, any_text("text"), "\"\"", "The `iss` it must have. Empty: any."),
      field("audience", &envelope_config::audience, any_text("text"), "\"\"",
            "The `aud` it must have, alone or among others. Empty: any."),
  });
}

}  // namespace doorward::config
