#include "doorward/auth/assertion.hpp"

#include <functional>
#include <span>

#include "doorward/base/encoding.hpp"
#include "doorward/base/errc.hpp"
#include "doorward/base/utf8.hpp"
#include "doorward/http/head.hpp"

namespace doorward::auth {
namespace {

std::string encoded(std::string_view text) {
  return base64url({reinterpret_cast<unsigned char const*>(text.data()), text.size()});
}

jws_key read_key(config::assertion_config const& c, config::assertion_key const& k) {
  jws_fault fault{};
  auto const& text = k.key.content.reveal();
  auto key = c.algorithm == config::assertion_algorithm::es256 ? jws_key::es256_private(text, fault)
                                                               : jws_key::hs256(text, fault);
  return std::move(key).value();  // the loader has tried it
}

std::string token_header(jws_algorithm a, std::string_view kid) {
  std::string text = R"({"alg":")";
  text += name(a);
  text += R"(","typ":"JWT","kid":")";
  append_json_escaped(text, kid);
  text += "\"}";
  return encoded(text) + '.';
}

void append_public_key(std::string& out, jws_key const& key, std::string_view kid) {
  auto const p = key.public_point();
  out += R"({"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":")";
  append_json_escaped(out, kid);
  out += R"(","x":")";
  out += base64url(p.x);
  out += R"(","y":")";
  out += base64url(p.y);
  out += "\"}";
}

// What JSON can say, and what a program in C reads as it was meant.
bool can_be_said(std::string_view text) noexcept {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos && is_utf8(text);
}

// Says where it ends, so that no two lists of texts look the same.
void append_counted(std::string& out, std::string_view text) {
  append_number(out, text.size());
  out += ':';
  out += text;
}

void append_text(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  append_json_escaped(out, value);
  out += '"';
}

}  // namespace

assertion_signer::assertion_signer(config::assertion_config const& c, std::string const& public_origin)
    : issuer_(c.issuer.empty() ? public_origin : c.issuer), lifetime_(c.lifetime) {
  if (c.keys.empty()) return;
  line_start_ = c.header + ": ";
  for (auto const& k : c.keys)
    keys_.push_back(read_key(c, k));
  header_ = token_header(keys_.front().algorithm(), c.keys.front().kid);
  kept_ = recent_results<kept>(most_kept / recent_results<kept>::set_size);
  if (c.algorithm != config::assertion_algorithm::es256) return;
  key_set_ = R"({"keys":[)";
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (i > 0) key_set_ += ',';
    append_public_key(key_set_, keys_[i], c.keys[i].kid);
  }
  key_set_ += "]}";
}

void assertion_signer::describe(request const& r) {
  about_.clear();
  append_number(about_, r.route);
  about_ += ':';
  append_counted(about_, r.session_id);
  append_counted(about_, r.session.user());
  append_counted(about_, r.session.roles());
  append_counted(about_, r.session.get(session::field::acr));
}

result<void> assertion_signer::append(std::string& out, request const& r, epoch_ms now) {
  describe(r);
  auto const hash = std::hash<std::string>{}(about_);
  auto const fits = [&](kept const& k) { return k.from <= now && now < k.until && k.about == about_; };
  if (auto const* k = kept_.find(hash, fits)) {
    out += k->token;
    return {};
  }

  auto const second = now / 1000;
  std::string token;
  if (auto made = make(token, r, second); !made) return made;
  out += token;
  if (about_.size() + token.size() > largest_kept) return {};
  auto& k = kept_.place_for(hash);
  k.about = about_;
  k.token = std::move(token);
  k.from = second * 1000;
  k.until = k.from + lifetime_.count() * 500;
  return {};
}

result<void> assertion_signer::make(std::string& token, request const& r, std::int64_t second) const {
  auto const user = r.session.user();
  auto const roles = r.session.roles();
  auto const acr = r.session.get(session::field::acr);
  if (!can_be_said(user) || !can_be_said(roles) || !can_be_said(acr)) return errc::bad_identity;

  std::string claims;
  append_text(claims, R"({"iss":")", issuer_);
  append_text(claims, R"(,"sub":")", user);
  append_text(claims, R"(,"aud":")", r.route_id);
  claims += R"(,"iat":)";
  append_number(claims, second);
  claims += R"(,"exp":)";
  append_number(claims, second + lifetime_.count());
  claims += R"(,"roles":[)";
  bool first = true;
  http::for_each_token(roles, [&](std::string_view role) {
    append_text(claims, first ? "\"" : ",\"", role);
    first = false;
  });
  auto const session = sha256_prefix(r.session_id);
  append_text(claims, R"(],"session":")", {session.data(), session.size()});
  if (!acr.empty()) append_text(claims, R"(,"acr":")", acr);
  claims += '}';

  token = header_ + encoded(claims);
  std::string signature;
  if (!keys_.front().sign(token, signature)) return errc::internal;
  token += '.';
  token += encoded(signature);
  return {};
}

}  // namespace doorward::auth
