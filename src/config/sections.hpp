#pragma once

#include <optional>

#include "config/places.hpp"
#include "config/problem_list.hpp"
#include "config/typed.hpp"
#include "config/url.hpp"
#include "doorward/config/model.hpp"

/// The sections of the file. Those that belong together are described together:
///
///   describe.cpp            the file as a whole
///   describe_server.cpp     server, admin, log, tracing
///   describe_redis.cpp      redis
///   describe_session.cpp    session, identity
///   describe_assertion.cpp  assertion, session.envelope
///   describe_upstreams.cpp  upstreams
///   describe_routes.cpp     headers, defaults, routes
///
/// What only shows when several values are looked at together is checked in check.cpp and, for routes, in
/// check_routes.cpp, check_step_up.cpp, check_final_slash.cpp and check_rewrites.cpp; for certificates, in
/// check_tls.cpp; for the keys that ids are signed with, in check_cookie_keys.cpp; for sessions that other programs
/// write, in check_foreign_sessions.cpp; for the keys of assertions and envelopes, in check_assertion.cpp.
namespace doorward::config {

/// `redis:` as written; the URL and the keys beside it are put together when all is read.
struct redis_section {
  redis_url url;
  std::string username;
  redacted password;
  milliseconds connect_timeout = redis_config{}.connect_timeout;
  milliseconds command_timeout = redis_config{}.command_timeout;
};

struct route_defaults {
  auth_mode auth = auth_mode::required;
};

/// What the file is read into: the model, and what has to be resolved to get there.
struct document : model {
  redis_section redis_as_written;
  route_defaults defaults;
  int version = 1;
};

inline constexpr char default_listen[] = "127.0.0.1:8080";
inline constexpr char default_admin_listen[] = "127.0.0.1:9090";
inline constexpr char default_redis_url[] = "redis://127.0.0.1:6379/0";

[[nodiscard]] typed<server_config> describe_server();
[[nodiscard]] typed<admin_config> describe_admin();
[[nodiscard]] typed<redis_section> describe_redis();
[[nodiscard]] typed<session_config> describe_session();
[[nodiscard]] typed<envelope_config> describe_envelope();
[[nodiscard]] typed<identity_config> describe_identity();
[[nodiscard]] typed<assertion_config> describe_assertion();
[[nodiscard]] typed<std::vector<upstream_config>> describe_upstreams();
[[nodiscard]] typed<std::vector<header_template>> describe_headers();
[[nodiscard]] typed<route_defaults> describe_defaults();
[[nodiscard]] typed<std::vector<route_config>> describe_routes();
[[nodiscard]] typed<log_config> describe_log();

/// For sections of which nothing is kept yet.
struct nothing {};
[[nodiscard]] typed<nothing> describe_tracing();

/// Fills in what depends on other values, then checks what only shows when several are looked at together.
class checker {
public:
  checker(document& d, places const& seen, problem_list& problems) : doc_(d), seen_(seen), problems_(problems) {}
  void run();

private:
  void resolve_server();
  void resolve_redis();
  void resolve_cookie();
  void resolve_headers();
  void resolve_routes();
  void check_listeners();
  void check_server();
  void check_tls();
  void check_listener_options(listener_config const& l, std::string const& path);
  void check_certificates();
  bool check_certificate(tls_certificate const& c, std::string const& path);
  void check_session();
  void resolve_foreign_fields();
  void check_cookie_keys();
  void check_foreign_sessions();
  void check_cookie_codec();
  void check_field_paths();
  void check_identity();
  void check_headers();
  void check_assertion();
  void check_envelope();
  void check_kids(std::vector<assertion_key> const& keys, std::string const& base);
  [[nodiscard]] bool has_key_file(assertion_key const& key, std::string const& path);
  void check_upstreams();
  void check_route(route_config const& r, std::string const& path);
  void check_step_up();
  void check_reachable();
  void check_final_slash();
  void check_rewrites();
  void check_ids();

  [[nodiscard]] bool sound(std::string const& a, std::string const& b) const {
    return seen_.sound(a) && seen_.sound(b);
  }
  void error(std::string const& path, std::string text, std::string suggestion = {});
  void warning(std::string const& path, std::string text, std::string suggestion = {});
  void check_upstream_name(std::string const& path, std::string const& name);

  document& doc_;
  places const& seen_;
  problem_list& problems_;
};

}  // namespace doorward::config
