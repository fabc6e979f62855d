#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/config/model.hpp"
#include "doorward/http/encoded_ids.hpp"
#include "doorward/http/head.hpp"
#include "doorward/http/reserved_names.hpp"
#include "doorward/http/signed_ids.hpp"
#include "doorward/route/route_table.hpp"
#include "doorward/session/field_layout.hpp"

namespace doorward::runtime {

/// Bodies for the identity service are forms: they are read as a whole before anybody waits for a place there, so they
/// are no longer than this.
inline constexpr std::uint64_t longest_form = 64 * 1024;

/// Where a proxy in front asks what becomes of a request that it has.
inline constexpr std::string_view forward_auth_path = "/.doorward/auth";

/// Where a request ends up.
enum class route_target : std::uint8_t {
  upstream,   ///< the route's application
  respond,    ///< a fixed answer
  login,      ///< the identity service
  logout,     ///< carried out here
  whoami,     ///< answered here
  sessions,   ///< the user's sessions: listed and ended here
  jwks,       ///< the public keys of assertions
  proxy,      ///< a proxy in front is told what becomes of a request that it has
  unclaimed,  ///< another path under /.doorward: nothing is there
};

/// One of doorward's own routes. They stand before those of the file: no rule can take them over, and a path with
/// several readings is checked against them like against any other rule.
struct own_route {
  config::route_config config;
  route_target to;
  /// What it is for; empty = any. Not in `config`: with another method nothing may go on to the next route.
  std::vector<http::method> methods;
};
[[nodiscard]] std::vector<own_route> own_routes(config::identity_config const& identity);

/// A route, compiled: names have become indexes, and what every request would look up is at hand.
struct compiled_route {
  config::route_config config;
  route_target to = route_target::upstream;
  std::vector<http::method> own_methods;  ///< what an endpoint of doorward's own is for; empty = any
  std::size_t upstream = 0;               ///< index into the model's upstreams; `upstream` and `login` only
  std::uint64_t body_limit = 0;
  struct field_rule {
    std::size_t slot;
    std::vector<std::string> values;
  };
  std::vector<field_rule> fields;  ///< of `allow`
};

/// A header to inject, compiled.
struct identity_header {
  struct part {
    std::string text;  ///< literal; empty for a field
    std::size_t slot = 0;
    bool is_field = false;
    bool optional = false;
  };
  std::string line_start;  ///< "X-User-Id: "
  std::vector<part> parts;
};

/// The fields of sessions that header templates, `allow` and `session.bind` speak of; some may be there twice.
[[nodiscard]] std::vector<std::string> custom_fields(config::model const& m);

/// What makes ids of cookies' values, and the other way round, where that is another program's way.
[[nodiscard]] http::encoded_ids encoded_ids_of(config::cookie_config const& c);
/// The same where it is doorward's way.
[[nodiscard]] http::signed_ids signed_ids_of(config::cookie_config const& c);

/// One configuration, ready to serve: built once from the model, immutable. Each worker has its own copy, so that
/// nothing on a request's path is shared between threads.
struct snapshot {
  /// The model must have been loaded without errors.
  explicit snapshot(config::model m);
  snapshot(snapshot const&) = delete;
  snapshot& operator=(snapshot const&) = delete;

  config::model config;
  std::vector<compiled_route> routes;  ///< login, logout and doorward's own endpoints first, then the file's
  route::route_table table;            ///< its indexes are those of `routes`
  session::field_layout fields;
  std::vector<identity_header> headers;
  http::reserved_names reserved;
  http::signed_ids ids;
  http::encoded_ids encoded_ids;  ///< where another program makes the cookie; then `ids` does nothing
  http::head_limits limits;
  std::string login_prefix;            ///< "/login?next="
  std::string public_scheme;           ///< of public_origin; empty without one
  std::string hsts_line;               ///< a whole header line for answers over TLS; empty = none
  std::string certificate_line_start;  ///< "X-Client-Subject: "; empty = upstreams are not told
  std::string expire_cookie;           ///< value of the Set-Cookie that removes ours

  /// Value of the Set-Cookie that carries `id`, signed where ids are. `max_age` in seconds: 0 = until the browser is
  /// closed.
  [[nodiscard]] std::string session_cookie(std::string_view id, std::chrono::seconds max_age) const;

  /// True for a peer in `trusted_proxies`. `address`: IPv4 mapped into IPv6.
  [[nodiscard]] bool is_trusted(std::array<std::uint8_t, 16> const& address) const noexcept;
};

}  // namespace doorward::runtime
