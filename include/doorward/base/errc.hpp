#pragma once

#include <boost/system/error_code.hpp>
#include <string_view>

#include "doorward/base/result.hpp"

namespace doorward {

/// Why a request did not simply go through. One list for the whole program: `about()` says for each what is answered,
/// under which stable code, and where it came from. The names of the enumerators are the `reason` in the access log.
enum class errc {
  // From the client's bytes.
  bad_request = 1,          ///< malformed, or readable in two ways (RFC 9112)
  header_too_large,         ///< header section over limits.header_bytes
  too_many_headers,         ///< more fields than limits.headers
  target_too_long,          ///< request-target over limits.target_bytes
  body_too_large,           ///< body over the route's body_bytes
  request_timeout,          ///< header or body did not arrive in time
  ambiguous_path,           ///< two readings of the path match different routes
  unsupported_expectation,  ///< an Expect other than 100-continue
  client_gone,              ///< the client closed or reset; nobody is left to answer
  // From the routes.
  no_route,            ///< nothing matches host and path
  method_not_allowed,  ///< host and path match, the method does not
  // From the session.
  no_session,           ///< no session cookie came with the request
  session_malformed,    ///< no cookie value could be an id; Redis was not asked
  session_forged,       ///< no cookie value bears a signature of ours; Redis was not asked
  session_unknown,      ///< Redis says there is no such key
  session_ghost,        ///< the record has no user field
  session_wrong_type,   ///< the key is there but is not of the type that `session.encoding` means
  session_undecodable,  ///< the record cannot be read as `session.encoding` says, or contradicts itself
  session_expired,      ///< its absolute limit has passed
  session_displaced,    ///< ended by a later login: its user may have only so many
  session_revoked,      ///< ended by its user from elsewhere, or by an operator
  session_limit,        ///< a login of a user who has as many sessions as one may have
  session_conflict,     ///< several session cookies name different live users
  session_too_weak,     ///< the route's `require` wants a login of a higher level
  session_too_old,      ///< the route's `require` wants a more recent login
  session_elsewhere,    ///< it is bound (`session.bind`) to another address or program than the request's
  // From the rules.
  forbidden,               ///< the route's `allow` does not hold
  csrf,                    ///< a cross-site unsafe request
  forward_auth_untrusted,  ///< /.doorward/auth was asked by somebody who is not in trusted_proxies
  // From the guard in front of the identity service.
  login_address_banned,  ///< too many failed logins of this client address
  login_user_banned,     ///< too many failed logins of this user
  login_queue_full,      ///< so many logins wait that no more may
  login_queue_timeout,   ///< no place became free in time
  // From the store.
  store_unavailable,  ///< Redis is not connected
  store_timeout,      ///< Redis did not answer in time
  store_error,        ///< Redis answered with an error (LOADING, NOPERM, ...)
  store_protocol,     ///< Redis answered with something that is no answer
  store_oversized,    ///< Redis answered with more than is read of one session
  // From the upstream.
  upstream_connect,  ///< refused, unreachable, or not resolved
  upstream_connect_timeout,
  upstream_tls,           ///< no TLS with it, or its certificate is not one to believe
  upstream_reset,         ///< closed before a whole response head came
  upstream_timeout,       ///< first byte or total time passed
  upstream_bad_response,  ///< a response that could be read in two ways
  upstream_saturated,     ///< every connection of every endpoint is taken
  bad_identity,           ///< a session field cannot be sent as a header
  bad_grant,              ///< the identity service's grant cannot be read
  // From ourselves.
  overloaded,  ///< limits.connections reached
  internal,    ///< a bug: an exception reached the connection
};

/// Who is to look for the cause.
enum class origin { downstream, policy, session, store, upstream, internal };

/// What every refusal means outside. `code` is stable: log, metric label and answer carry it.
struct errc_info {
  std::string_view reason;  ///< the enumerator's name
  std::string_view code;    ///< docs/operations.md has the list
  unsigned status;          ///< HTTP status
  origin from;
  bool close;             ///< the client's connection cannot be used any further
  std::string_view text;  ///< one sentence for the person who reads the answer
};

/// The row of the table for `e`. Total: every enumerator has one.
[[nodiscard]] errc_info const& about(errc e) noexcept;

[[nodiscard]] boost::system::error_category const& errc_category() noexcept;

inline error_code make_error_code(errc e) noexcept {
  return {static_cast<int>(e), errc_category()};
}

/// The errc that `ec` was made of. An error of another category has no business where an errc is expected: internal.
[[nodiscard]] inline errc to_errc(error_code const& ec) noexcept {
  return ec.category() == errc_category() ? static_cast<errc>(ec.value()) : errc::internal;
}

}  // namespace doorward

template <>
struct boost::system::is_error_code_enum<doorward::errc> : std::true_type {};
