#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "doorward/base/redacted.hpp"
#include "doorward/base/result.hpp"
#include "doorward/net/stream.hpp"
#include "doorward/net/ticket_keys.hpp"
#include "doorward/net/tls_channel.hpp"

struct ssl_ctx_st;
struct ssl_session_st;

/// TLS 1.2 and 1.3 on both sides of doorward. Renegotiation and compression are off; the suites of TLS 1.2 are those
/// with ephemeral keys and authenticated encryption (RFC 9325 section 4.2).
namespace doorward::net {

struct ssl_ctx_deleter {
  void operator()(ssl_ctx_st* c) const noexcept;
};
using ssl_ctx_ptr = std::unique_ptr<ssl_ctx_st, ssl_ctx_deleter>;
struct ssl_session_deleter {
  void operator()(ssl_session_st* s) const noexcept;
};
using ssl_session_ptr = std::unique_ptr<ssl_session_st, ssl_session_deleter>;

/// A certificate to show, with the key that proves it.
struct tls_identity {
  std::string chain_pem;  ///< the certificate, then its issuers
  redacted key_pem;
  std::string ocsp_der;            ///< a response to staple (RFC 6066 section 8); empty = none
  std::vector<std::string> names;  ///< lower case; "*.example.com" stands for one label
};

struct tls_server_options {
  std::vector<tls_identity> identities;  ///< the first is for clients that ask for no name that is known
  std::string client_ca_pem{};           ///< who vouches for clients; empty = they are not asked for a certificate
  bool client_required = false;          ///< without one there is no connection
};

/// What one worker's TLS listeners need. Immutable; a renewed certificate makes a new one. It has to live as long as
/// the handshakes that it began.
class tls_server {
public:
  /// The error's text begins with the index of the identity, `[0]: `, and goes on in OpenSSL's words. `keys` are shared
  /// by all that open each other's tickets. Whoever believes another authority for clients needs other keys: a
  /// handshake under way may yet give out a ticket.
  [[nodiscard]] static std::shared_ptr<tls_server const> make(tls_server_options const& options,
                                                              std::shared_ptr<ticket_keys> keys, std::string& error);

  /// The server's end of a handshake on a connected socket.
  [[nodiscard]] std::unique_ptr<tls_channel> accept(int fd) const;

private:
  tls_server() = default;
  [[nodiscard]] ssl_ctx_st* for_name(std::string_view name) const noexcept;
  static int on_server_name(ssl_st* ssl, int* alert, void* self);

  struct identity_context {
    ssl_ctx_ptr context;
    std::string ocsp;
    std::optional<epoch_ms> ocsp_until;  // then it is not shown any more
  };
  static int on_status_request(ssl_st* ssl, void* self);

  std::shared_ptr<ticket_keys> keys_;
  std::vector<std::unique_ptr<identity_context>> contexts_;
  std::unordered_map<std::string, ssl_ctx_st*> names_;
};

struct tls_client_options {
  std::string ca_pem;     ///< who is believed; empty = whom the operating system believes
  std::string chain_pem;  ///< our own certificate, for those who ask; empty = none
  redacted key_pem;
};

/// How an upstream is spoken to. There is no way to leave out that its certificate is verified: in full at least every
/// two hours, and resumed in between. One worker's; not thread-safe.
class tls_client {
public:
  [[nodiscard]] static std::unique_ptr<tls_client> make(tls_client_options const& options, std::string& error);

  /// The client's end of a handshake on a connected socket, with somebody whose certificate is for `name`, a host name
  /// or a literal address (RFC 9525 section 6). Null when that cannot be asked for. The channel must not outlive this.
  [[nodiscard]] std::unique_ptr<tls_channel> connect(int fd, std::string const& name);

private:
  tls_client() = default;
  static int on_session(ssl_st* ssl, ssl_session_st* session) noexcept;

  struct resumable {
    ssl_session_ptr session;
    time_point verified{};  // when the certificate was
  };
  ssl_ctx_ptr context_;
  std::unordered_map<std::string, resumable> sessions_;  // by name; few, because names are configured
};

/// Carries a handshake through on `s`, which has got its channel: `ok`, `again` when `w`'s limit or `timeout` passed,
/// or `error`.
[[nodiscard]] task<io_status> handshake(stream& s, watch& w, milliseconds timeout);

}  // namespace doorward::net
