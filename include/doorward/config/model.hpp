#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "doorward/base/redacted.hpp"
#include "doorward/base/time.hpp"

/// The configuration as plain values: what a file says once it has been read and every check has passed. The order and
/// the defaults are those of docs/configuration.md. Nothing here is looked at again while requests are served; the
/// runtime layer compiles it into a snapshot.
namespace doorward::config {

using seconds = std::chrono::seconds;

/// Where in the file a value stands; lines and columns count from 1.
struct position {
  std::size_t line = 0;
  std::size_t column = 0;
};

/// An address to listen on or to connect to.
struct endpoint {
  enum class kind { tcp, unix_socket };
  kind type = kind::tcp;
  std::string host;        ///< name or literal address, without brackets; tcp only
  std::uint16_t port = 0;  ///< tcp only; 0 when listening = any free port
  std::string path;        ///< unix_socket only
  bool tls = false;        ///< of an upstream: https://
  std::string text;        ///< as written, for logs

  friend bool operator==(endpoint const&, endpoint const&) = default;
};

/// A file that belongs to the configuration and was read with it.
struct file_text {
  std::string name;   ///< as written; empty = none
  std::string found;  ///< the same from where the process is
  redacted content;
  [[nodiscard]] bool empty() const noexcept { return name.empty(); }
};

/// A certificate to show to clients.
struct tls_certificate {
  file_text cert;                  ///< the chain, PEM
  file_text key;                   ///< PEM
  file_text ocsp;                  ///< a response to staple, DER
  std::vector<std::string> names;  ///< lower case
  bool names_found = false;        ///< they are those in the certificate, as none were given
};

/// Certificates that clients may or must show.
struct client_certificates {
  file_text ca;                ///< who vouches for them, PEM; none = they are not asked for
  bool required = false;       ///< without one there is no connection
  std::string subject_header;  ///< tells the upstream the subject; empty = it is not told
};

/// HTTP Strict Transport Security (RFC 6797).
struct hsts_config {
  seconds max_age{0};  ///< 0 = nothing is said
  bool include_subdomains = false;
  bool preload = false;
};

/// An address to listen on, and how.
struct listener_config {
  endpoint address;
  bool tls = false;  ///< resolved; `auto` is decided by the loader
  bool redirect_to_https = false;
  bool proxy_protocol = false;  ///< connections begin with a PROXY header
  std::size_t connections = 0;  ///< over all workers; 0 = only server_limits::connections
};

/// An address block in CIDR notation, IPv4 mapped into IPv6.
struct cidr {
  std::array<std::uint8_t, 16> bytes{};
  unsigned prefix = 128;  ///< bits that count, of 128
};

struct server_timeouts {
  milliseconds header{10'000};          ///< first byte of a request to the end of its header section
  milliseconds body_idle{30'000};       ///< silence inside a request body
  milliseconds idle{75'000};            ///< keep-alive without a request
  milliseconds write_idle{30'000};      ///< a client that takes nothing
  milliseconds stream_idle{3'600'000};  ///< silence of an event stream or, both ways, of an upgraded connection
  milliseconds drain_delay{5'000};      ///< after SIGTERM: serving goes on, readiness fails
  milliseconds drain{30'000};           ///< after that: the longest wait for what is in flight
};

struct server_limits {
  std::size_t header_bytes = 32 * 1024;
  std::size_t headers = 100;
  std::size_t target_bytes = 8 * 1024;
  std::uint64_t body_bytes = 10 * 1024 * 1024;
  std::size_t connections = 10'000;         ///< over all workers
  std::size_t connections_per_address = 0;  ///< of one client; 0 = any number
};

struct server_config {
  std::vector<listener_config> listen;  ///< never empty after loading
  unsigned workers = 0;                 ///< threads; 0 = auto
  std::string public_origin;            ///< "https://host[:port]" in lower case, no trailing slash; or empty
  std::vector<cidr> trusted_proxies;
  std::vector<tls_certificate> tls;  ///< the first is for clients that ask for no known name; empty = no TLS
  client_certificates clients;
  hsts_config hsts;
  server_timeouts timeouts;
  server_limits limits;
};

struct admin_config {
  std::optional<endpoint> listen;  ///< nullopt = off
  redacted token;                  ///< opens /sessions to who presents it; empty = nobody
};

struct redis_config {
  endpoint server;  ///< from the url
  unsigned database = 0;
  std::string username;  ///< ACL user, empty = the default user
  redacted password;     ///< empty = no AUTH
  milliseconds connect_timeout{1'000};
  milliseconds command_timeout{250};
};

enum class same_site { lax, strict, none };

/// What a session cookie makes of the id.
enum class cookie_codec {
  plain,    ///< nothing or, with keys, doorward's signature behind it (http::signed_ids)
  express,  ///< express-session's signature behind it, percent-encoded
  base64,   ///< base64, as Spring Session does
};

struct cookie_config {
  std::string name;     ///< "sid", or "__Host-sid" when secure and not given
  bool secure = false;  ///< resolved; `auto` is decided by the loader
  same_site policy = same_site::lax;
  cookie_codec codec = cookie_codec::plain;
  bool shared = false;         ///< the application has the same cookie: it goes on upstream, and may be set there
  std::vector<redacted> keys;  ///< that ids are signed with, newest first; empty = they are not
};

struct session_lifetime {
  bool streams = false;  ///< an open tunnel or event stream counts as activity of its session
  seconds idle{30 * 60};
  seconds absolute{12 * 3600};
  seconds remember_idle{14 * 86400};
  seconds remember_absolute{90 * 86400};
  seconds touch_every{60};
};

/// Names of hash fields that have a meaning to doorward.
struct session_fields {
  std::string user = "userId";
  std::string roles = "role";  ///< one role, or several joined by ','
  std::string created = "createdAt";
  std::string last_seen = "lastSeen";
};

/// A text around one placeholder: "session:{id}" is {"session:", ""}.
struct affixes {
  std::string prefix;
  std::string suffix;
};

/// What a login does when its user has as many sessions as one may have.
enum class limit_action {
  displace_oldest,  ///< ends the oldest
  deny,             ///< is refused
};

struct session_limit {
  unsigned per_user = 0;    ///< 0 = any number
  unsigned per_device = 0;  ///< of those, on one class of device (phone, tablet, computer, other); 0 = any number
  limit_action when_full = limit_action::displace_oldest;
};

enum class assertion_algorithm { es256, hs256 };

/// A key that assertions are signed with, and its name (RFC 7517 section 4.5).
struct assertion_key {
  std::string kid;
  file_text key;  ///< es256: an EC private key on P-256, PEM; hs256: the secret's bytes
};

/// A signed statement of who asks, for upstreams to verify (RFC 7519).
struct assertion_config {
  std::string header = "Doorward-Assertion";
  assertion_algorithm algorithm = assertion_algorithm::es256;
  std::vector<assertion_key> keys;  ///< the first signs, all are published; empty = there are no assertions
  seconds lifetime{60};
  std::string issuer;  ///< `iss`; empty = public_origin
};

/// Session ids that come inside a JWT which somebody else has signed (RFC 7519).
struct envelope_config {
  assertion_algorithm algorithm = assertion_algorithm::es256;
  std::vector<assertion_key> keys;  ///< es256: public keys, PEM; empty = ids come bare
  std::string claim = "sid";        ///< that holds the id
  std::string issuer;               ///< `iss` that it must have; empty = any
  std::string audience;             ///< `aud` that it must have; empty = any
};

/// What a session must have in common with the request that it was made by.
struct session_binding {
  bool user_agent = false;  ///< the User-Agent header
  bool ip_prefix = false;   ///< /24 of an IPv4 address, /48 of an IPv6 address
  [[nodiscard]] bool empty() const noexcept { return !user_agent && !ip_prefix; }
};

/// How the keys of a user's sessions and of their index are named.
enum class key_layout {
  plain,   ///< as `key` and `index` say
  tagged,  ///< a short hash of the user in braces in both, so that all of them are in one slot of a Redis Cluster
};

/// How a session's fields are kept in Redis. What is not a hash of ours is read, never written.
enum class session_encoding {
  hash,       ///< a hash, a field each
  json,       ///< a text in JSON: connect-redis, and whoever keeps JSON
  redisjson,  ///< a document of the RedisJSON module
  php,        ///< what PHP's own session handlers write
  spring,     ///< Spring Session's hash
};

/// A copy of sessions near the worker, which Redis invalidates.
struct session_cache {
  bool enabled = false;
  std::size_t entries = 100'000;  ///< at most, of all workers together
  milliseconds max_age{5'000};    ///< how old a copy may be, whatever Redis says
};

struct session_config {
  cookie_config cookie;
  affixes key{"session:", ""};
  affixes index{"user:", ":sessions"};
  key_layout layout = key_layout::plain;
  bool store_hashed = false;  ///< keys hold the SHA-256 of an id, in hexadecimal, instead of the id
  session_encoding encoding = session_encoding::hash;
  session_fields fields;
  session_lifetime lifetime;
  session_limit limit;
  session_binding bind;
  envelope_config envelope;
  milliseconds recheck{1'000};  ///< how often sessions of upgraded connections and event streams are looked up again
  session_cache cache;
};

enum class identity_mode { grant, external };

/// What stands between the world and the identity service (docs/security.md, "Logins").
struct login_guard {
  std::size_t in_flight = 64;           ///< requests it gets at once, over all workers
  std::size_t queue = 256;              ///< that wait for their turn, over all workers
  milliseconds queue_timeout{5'000};    ///< how long they wait
  unsigned failures = 10;               ///< of one user within `window` that lead to a ban; 0 = any number
  unsigned failures_per_address = 100;  ///< the same of one client address, which may be that of a whole office
  milliseconds window{60'000};
  milliseconds ban{300'000};            ///< the first; each further one is twice as long
  std::string user_field = "username";  ///< of the login form; empty = users are not told apart
};

struct identity_config {
  std::string upstream;
  std::string login = "/login";  ///< canonical path, no trailing slash
  std::string logout = "/logout";
  std::string return_to = "next";  ///< query parameter
  identity_mode mode = identity_mode::grant;
  login_guard guard;
};

struct upstream_timeouts {
  milliseconds connect{1'000};
  milliseconds first_byte{30'000};  ///< request sent to the response's first byte
  milliseconds idle{60'000};        ///< silence inside a response, and the life of an unused pooled connection
};

/// How an upstream of https:// is verified, and how it verifies us.
struct upstream_tls {
  file_text ca;             ///< PEM; none = whom the operating system believes
  file_text cert;           ///< ours, PEM; none = we have none
  file_text key;            ///< PEM
  std::string server_name;  ///< what its certificate must be for; empty = the endpoint's host
};

struct upstream_config {
  std::string name;
  std::vector<endpoint> endpoints;  ///< never empty after loading; used in turn
  upstream_timeouts timeouts;
  upstream_tls tls;
  unsigned retries = 1;           ///< only where it is safe
  std::size_t connections = 256;  ///< most per endpoint, over all workers
};

/// A header value made of literal text and session fields: "{userId}", "{role?}", "user-{userId}".
struct header_template {
  struct part {
    std::string text;  ///< literal, or the field's name
    bool is_field = false;
    bool optional = false;  ///< `?`: the whole header is left out when the field is absent
  };
  std::string name;
  std::vector<part> parts;
  position where;
  bool external = false;  ///< some of it came out of a `${...}`: not to be shown
};

enum class auth_mode {
  required,  ///< no session: refused or sent to the login
  optional,  ///< looked up; a request without a session goes on as nobody
  passive,   ///< as required, but does not extend the session's idle time
  none,      ///< Redis is not asked
};

enum class unauthenticated_action { automatic, reject, redirect };

struct allow_rule {
  std::vector<std::string> roles;  ///< any one of them suffices; empty = not asked for
  std::vector<std::pair<std::string, std::vector<std::string>>> fields;  ///< each field must equal one of its values
  [[nodiscard]] bool empty() const noexcept { return roles.empty() && fields.empty(); }
};

/// How, and how lately, somebody must have logged in (RFC 9470).
struct step_up_rule {
  unsigned acr = 0;    ///< least level of the session; 0 = any
  seconds max_age{0};  ///< since the login; 0 = any
  [[nodiscard]] bool empty() const noexcept { return acr == 0 && max_age == seconds{0}; }
};

struct route_config {
  std::string id;                    ///< unique; the path where none was given
  std::string host;                  ///< lower case; "" = any, "*.example.com" = any name below it
  std::string path;                  ///< pattern: literal segments, `*` (one segment), `**` (the rest, last only)
  std::vector<std::string> methods;  ///< upper case; empty = all
  auth_mode auth = auth_mode::required;
  allow_rule allow;
  step_up_rule require;
  unauthenticated_action unauthenticated = unauthenticated_action::automatic;
  std::string upstream;                     ///< empty when `respond` is given
  std::optional<unsigned> respond;          ///< fixed status instead of an upstream
  std::string strip_prefix;                 ///< canonical path, removed from the front
  std::string rewrite;                      ///< canonical path put in place of the pattern's literal part
  milliseconds total_timeout{0};            ///< 0 = none; not for event streams and upgrades
  std::optional<std::uint64_t> body_bytes;  ///< overrides server.limits.body_bytes
  bool csrf = true;
  bool upgrade = true;  ///< to WebSocket
  position where;
};

enum class log_level { trace, debug, info, warn, error, off };
enum class log_format { automatic, json, text };

struct log_config {
  log_level level = log_level::info;
  log_format format = log_format::automatic;
  bool access = true;
};

struct model {
  std::string file;  ///< as given on the command line, for messages
  server_config server;
  admin_config admin;
  redis_config redis;
  session_config session;
  identity_config identity;
  assertion_config assertion;
  std::vector<upstream_config> upstreams;
  std::vector<header_template> headers;
  std::vector<route_config> routes;
  log_config log;
};

}  // namespace doorward::config
