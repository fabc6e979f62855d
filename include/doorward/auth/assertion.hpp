#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/base/jws.hpp"
#include "doorward/base/recent_results.hpp"
#include "doorward/base/result.hpp"
#include "doorward/base/time.hpp"
#include "doorward/config/model.hpp"
#include "doorward/session/record.hpp"

namespace doorward::auth {

/// Signs who asks, for upstreams that want more than a header's word: a JWT (RFC 7519) with `iss`, `sub` (the user),
/// `aud` (the route), `iat`, `exp`, `roles`, `session` (as the access log names it) and, where the session has one,
/// `acr`.
///
/// A signature is dear beside the rest of a request, so one is sent again as long as at least half of its lifetime is
/// left, for the same session on the same route with the same contents: a user, role or acr that changes is a new
/// assertion at once. One a worker; no locks.
class assertion_signer {
public:
  /// `c` must have been loaded without errors; `public_origin` is the issuer where it names none. Without keys it is
  /// off, and holds nothing.
  assertion_signer(config::assertion_config const& c, std::string const& public_origin);

  [[nodiscard]] bool on() const noexcept { return !keys_.empty(); }

  /// "Doorward-Assertion: "
  [[nodiscard]] std::string_view line_start() const noexcept { return line_start_; }

  /// For whom, and where.
  struct request {
    std::string_view session_id;
    session::record const& session;
    std::size_t route;  ///< its index
    std::string_view route_id;
  };
  /// Appends an assertion. On: errc::bad_identity, with `out` unchanged, when user, roles or acr hold what is not
  /// UTF-8, or a line end or NUL; errc::internal when OpenSSL fails. Allocates only when it signs.
  [[nodiscard]] result<void> append(std::string& out, request const& r, epoch_ms now);

  /// The public keys, for whoever verifies (RFC 7517 section 5): those of ES256. Empty where nothing can be published,
  /// because it is off or the secret is shared.
  [[nodiscard]] std::string_view key_set() const noexcept { return key_set_; }

  /// What is kept for later: at most this many assertions, of at most this size with what they are for.
  static constexpr std::size_t most_kept = 4096;
  static constexpr std::size_t largest_kept = 2048;

private:
  struct kept {
    std::string about;  // session, route and contents
    std::string token;
    epoch_ms from = 0;
    epoch_ms until = 0;  // it is sent again before this
  };
  void describe(request const& r);
  [[nodiscard]] result<void> make(std::string& token, request const& r, std::int64_t second) const;

  std::string line_start_;
  std::string issuer_;
  config::seconds lifetime_;
  std::vector<jws_key> keys_;  // the first signs
  std::string header_;         // of the token, encoded, with the dot behind it
  std::string key_set_;
  recent_results<kept> kept_;
  std::string about_;  // of the request at hand; reused
};

}  // namespace doorward::auth
