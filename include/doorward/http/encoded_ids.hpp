#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/base/hmac.hpp"
#include "doorward/base/redacted.hpp"
#include "doorward/http/signed_ids.hpp"

namespace doorward::http {

/// What other programs' cookies make of an id (docs/foreign-sessions.md):
///
///     express  "s:" id "." base64(HMAC-SHA-256(secret, id)) without "=", percent-encoded (express-session)
///     base64   base64(id), RFC 4648 section 4, with its "=" (Spring Session)
class encoded_ids {
public:
  enum class codec { none, express, base64 };

  /// The longest value that is looked at: an id of 256 bytes and its signature, each byte as `%XX`, and some more.
  static constexpr std::size_t longest = 1024;

  /// Ids come as they are.
  encoded_ids() = default;
  /// `secrets`: of `express`, the newest first; all are believed.
  encoded_ids(codec c, std::span<redacted const> secrets);

  [[nodiscard]] bool on() const noexcept { return codec_ != codec::none; }
  /// True where nobody but who knows a secret can make a value.
  [[nodiscard]] bool is_signed() const noexcept { return codec_ == codec::express; }

  /// What is wrong with a value at first sight, before anything is computed; nothing, where id_in() has to look.
  [[nodiscard]] std::optional<signature_trouble> find_trouble(std::string_view value) const;

  /// Puts the id that is in `value` into `id`. False, with `id` empty, where find_trouble() finds some or the signature
  /// is wrong. Takes the same time however much of a signature is right.
  [[nodiscard]] bool id_in(std::string_view value, std::string& id) const;

  /// The value that a program would send for `id`.
  [[nodiscard]] std::string encode(std::string_view id) const;

private:
  codec codec_ = codec::none;
  std::vector<hmac_sha256> secrets_;
};

}  // namespace doorward::http
