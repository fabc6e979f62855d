#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/base/hmac.hpp"
#include "doorward/base/redacted.hpp"

namespace doorward::http {

/// Why there is no id for us in a cookie's value. The later, the nearer it came.
enum class signature_trouble {
  malformed,    ///< no id could be in it
  missing,      ///< an id, but nobody signed it
  unknown_key,  ///< signed with a key that is none of ours, or not any more
  wrong,        ///< names a key of ours, and that key's signature is another
};

/// What our cookie carries: an id or, where there are keys, an id, the name of the key that signed it, and its
/// signature (docs/security.md, "Signed ids"):
///
///     id "." kid "." mac
///     kid = the first 6 characters of base64url(HMAC-SHA-256(key, "doorward.kid"))
///     mac = the first 32 characters of base64url(HMAC-SHA-256(key, "doorward.cookie:" cookie's name ":" id))
///
/// Neither name nor id holds a colon, so no two pairs are one message.
class signed_ids {
public:
  static constexpr std::size_t kid_length = 6;
  static constexpr std::size_t mac_length = 32;  ///< 192 bits; nothing of the last character is left over
  static constexpr std::size_t tail_length = 1 + kid_length + 1 + mac_length;

  /// Ids come and go as they are.
  signed_ids() = default;
  /// The first key signs, all are believed. No keys: ids come and go as they are.
  signed_ids(std::string_view cookie_name, std::span<redacted const> keys);

  [[nodiscard]] bool active() const noexcept { return !keys_.empty(); }
  /// The names of the keys, in their order; they give nothing of a key away.
  [[nodiscard]] std::vector<std::string> kids() const;

  /// The cookie's value for an id.
  [[nodiscard]] std::string sign(std::string_view id) const;

  /// What is wrong with a value at first sight, before anything is computed; nothing, where its signature has to be
  /// looked at.
  [[nodiscard]] std::optional<signature_trouble> find_trouble(std::string_view value) const noexcept;

  /// The id in a value: a part of it. Empty where find_trouble() finds some, or the signature is wrong. Takes the same
  /// time however much of a signature is right.
  [[nodiscard]] std::string_view id_in(std::string_view value) const noexcept;

private:
  using mac = std::array<char, mac_length>;
  struct key {
    hmac_sha256 hmac;
    std::string kid;
  };
  [[nodiscard]] mac mac_of(key const& k, std::string_view id) const noexcept;

  std::string message_start_;
  std::vector<key> keys_;
};

}  // namespace doorward::http
