#include "doorward/auth/envelope.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "auth/json_object.hpp"
#include "doorward/base/encoding.hpp"
#include "doorward/http/cookies.hpp"

namespace doorward::auth {
namespace {

// Nobody has vouched for a header when it is read. One with `alg`, `typ` and `kid` has some 80 characters.
constexpr std::size_t longest_header = 512;

using json = nlohmann::json;

constexpr epoch_ms always = std::numeric_limits<epoch_ms>::max();

jws_key read_key(config::envelope_config const& c, config::assertion_key const& k) {
  jws_fault fault{};
  auto const& text = k.key.content.reveal();
  auto key = c.algorithm == config::assertion_algorithm::es256 ? jws_key::es256_public(text, fault)
                                                               : jws_key::hs256(text, fault);
  return std::move(key).value();  // the loader has tried it
}

// RFC 7515 section 7.1.
struct compact {
  std::string_view header, payload, signature;
  std::string_view signed_part;
};

bool take_apart(std::string_view token, compact& into) noexcept {
  auto const first = token.find('.');
  if (first == token.npos) return false;
  auto const second = token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return false;
  into = {token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
          token.substr(0, second)};
  return true;
}

std::string const* text_of(json const& object, std::string const& name) {
  auto const it = object.find(name);
  return it == object.end() ? nullptr : it->get_ptr<std::string const*>();
}

// Seconds since the epoch, maybe with a fraction (NumericDate, RFC 7519 section 2). False for what is none, and for
// years that no clock will show.
bool read_time(json const& value, epoch_ms& into) {
  if (!value.is_number()) return false;
  auto const seconds = value.get<double>();
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e12) return false;
  into = static_cast<epoch_ms>(seconds * 1000);
  return true;
}

bool is_for(json const& claims, std::string const& audience) {
  auto const it = claims.find("aud");
  if (it == claims.end()) return false;
  auto const is_it = [&](json const& v) { return v.is_string() && v.get_ref<std::string const&>() == audience; };
  return it->is_array() ? std::ranges::any_of(*it, is_it) : is_it(*it);
}

}  // namespace

std::string_view describe(envelope_fault f) noexcept {
  switch (f) {
    case envelope_fault::none: return "it is good";
    case envelope_fault::malformed: return "it is not a JWT: three parts of base64url, the first two JSON objects";
    case envelope_fault::algorithm: return "its `alg` is not session.envelope.algorithm, or it has a `crit`";
    case envelope_fault::key: return "its `kid` names none of session.envelope.keys";
    case envelope_fault::signature: return "its signature is not of the key that its `kid` names";
    case envelope_fault::expired: return "its `exp` is past";
    case envelope_fault::not_yet: return "its `nbf` is to come";
    case envelope_fault::issuer: return "its `iss` is not session.envelope.issuer";
    case envelope_fault::audience: return "its `aud` is not session.envelope.audience";
    case envelope_fault::claim: return "the claim session.envelope.claim is missing, or could be no session id";
  }
  return {};
}

envelope_opener::envelope_opener(config::envelope_config const& c) {
  if (c.keys.empty()) return;
  for (auto const& k : c.keys)
    keys_.push_back({k.kid, read_key(c, k)});
  config_ = c;
  config_.keys.clear();
  kept_ = recent_results<opened>(most_kept / recent_results<opened>::set_size);
}

envelope_fault envelope_opener::open(std::string_view token, epoch_ms now, std::string& id) {
  id.clear();
  if (token.empty() || token.size() > longest) return envelope_fault::malformed;
  auto const hash = std::hash<std::string_view>{}(token);
  // What is verified never changes; what was refused is not kept, so that nobody can fill the places with it.
  auto const* known = kept_.find(hash, [&](opened const& o) { return o.token == token; });
  if (known == nullptr) {
    opened fresh;
    if (auto const fault = verify(token, fresh); fault != envelope_fault::none) return fault;
    auto& place = kept_.place_for(hash);
    place = std::move(fresh);
    known = &place;
  }
  if (now >= known->until) return envelope_fault::expired;
  if (now < known->from) return envelope_fault::not_yet;
  id = known->id;
  return envelope_fault::none;
}

envelope_fault envelope_opener::verify(std::string_view token, opened& into) const {
  compact parts;
  std::string header;
  std::string payload;
  std::string signature;
  if (!take_apart(token, parts) || parts.header.size() > longest_header ||
      !append_base64url_decoded(header, parts.header) || !append_base64url_decoded(payload, parts.payload) ||
      !append_base64url_decoded(signature, parts.signature))
    return envelope_fault::malformed;
  named_key const* key = nullptr;
  if (auto const fault = find_key(header, key); fault != envelope_fault::none) return fault;
  if (!key->key.verifies(parts.signed_part, signature)) return envelope_fault::signature;
  into.token = token;
  return read_claims(payload, into);
}

// The header is the sender's word: it picks among our keys, and nothing in it brings one (`jwk`, `jku`, `x5c`) or
// another algorithm.
envelope_fault envelope_opener::find_key(std::string_view header, named_key const*& found) const {
  json object;
  if (!parse_object(header, object)) return envelope_fault::malformed;
  auto const* alg = text_of(object, "alg");
  if (alg == nullptr || *alg != name(keys_.front().key.algorithm()) || object.contains("crit"))
    return envelope_fault::algorithm;
  if (object.contains("typ")) {
    auto const* typ = text_of(object, "typ");
    if (typ == nullptr || !iequals(*typ, "JWT")) return envelope_fault::malformed;
  }
  if (!object.contains("kid")) {
    if (keys_.size() > 1) return envelope_fault::key;
    found = &keys_.front();
    return envelope_fault::none;
  }
  auto const* kid = text_of(object, "kid");
  if (kid == nullptr) return envelope_fault::key;
  auto const it = std::ranges::find(keys_, *kid, &named_key::kid);
  if (it == keys_.end()) return envelope_fault::key;
  found = &*it;
  return envelope_fault::none;
}

envelope_fault envelope_opener::read_claims(std::string_view payload, opened& into) const {
  json claims;
  if (!parse_object(payload, claims)) return envelope_fault::malformed;
  into.from = std::numeric_limits<epoch_ms>::min();
  into.until = always;
  if (auto const exp = claims.find("exp"); exp != claims.end()) {
    if (!read_time(*exp, into.until)) return envelope_fault::malformed;
    into.until += leeway.count();
  }
  if (auto const nbf = claims.find("nbf"); nbf != claims.end()) {
    if (!read_time(*nbf, into.from)) return envelope_fault::malformed;
    into.from -= leeway.count();
  }
  if (!config_.issuer.empty()) {
    auto const* iss = text_of(claims, "iss");
    if (iss == nullptr || *iss != config_.issuer) return envelope_fault::issuer;
  }
  if (!config_.audience.empty() && !is_for(claims, config_.audience)) return envelope_fault::audience;
  auto const* id = text_of(claims, config_.claim);
  if (id == nullptr || !http::is_session_id(*id)) return envelope_fault::claim;
  into.id = *id;
  return envelope_fault::none;
}

}  // namespace doorward::auth
