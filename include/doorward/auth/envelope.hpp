#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/base/jws.hpp"
#include "doorward/base/recent_results.hpp"
#include "doorward/base/time.hpp"
#include "doorward/config/model.hpp"

namespace doorward::auth {

/// What is wrong with an envelope; the first thing that is.
enum class envelope_fault : std::uint8_t {
  none,
  malformed,  ///< not three parts of base64url, or what is in them is not JSON as it has to be
  algorithm,  ///< `alg` is another than the configured one, or `crit` asks for more than is understood
  key,        ///< `kid` names none of the keys, or is missing where there are several
  signature,
  expired,
  not_yet,  ///< `nbf` is to come
  issuer,
  audience,
  claim,  ///< the claim that holds the id is missing, or could be no id
};

/// In words, for people who look for the cause.
[[nodiscard]] std::string_view describe(envelope_fault f) noexcept;

/// Takes session ids out of the JWTs (RFC 7519, as RFC 8725 wants them read) that somebody else signs around them.
/// Nothing else in a JWT counts: who it is, Redis says.
///
/// A signature takes longer to verify than all the rest of a request, so those that were good are remembered; times are
/// looked at anew each time. One a worker; no locks.
class envelope_opener {
public:
  /// `c` must have been loaded without errors. Without keys it is off, and holds nothing.
  explicit envelope_opener(config::envelope_config const& c);

  [[nodiscard]] bool on() const noexcept { return !keys_.empty(); }

  /// The longest that is looked at.
  static constexpr std::size_t longest = 4096;
  /// How far the clocks of who signed and of doorward may be apart, for `exp` and `nbf`.
  static constexpr milliseconds leeway{10'000};
  static constexpr std::size_t most_kept = 1024;

  /// Puts the id into `id`, or says what is wrong, with `id` empty.
  [[nodiscard]] envelope_fault open(std::string_view token, epoch_ms now, std::string& id);

private:
  struct opened {
    std::string token;
    std::string id;
    epoch_ms from = 0;
    epoch_ms until = 0;
  };
  struct named_key {
    std::string kid;
    jws_key key;
  };
  [[nodiscard]] envelope_fault verify(std::string_view token, opened& into) const;
  [[nodiscard]] envelope_fault find_key(std::string_view header, named_key const*& found) const;
  [[nodiscard]] envelope_fault read_claims(std::string_view payload, opened& into) const;

  config::envelope_config config_;
  std::vector<named_key> keys_;
  recent_results<opened> kept_;
};

}  // namespace doorward::auth
