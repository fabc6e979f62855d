#include "doorward/net/tls.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>

#include "doorward/base/encoding.hpp"
#include "doorward/base/pem.hpp"
#include "doorward/base/random.hpp"

// OpenSSL's macros are written in C.
#pragma GCC diagnostic ignored "-Wold-style-cast"

namespace doorward::net {
namespace {

// With ephemeral keys, so that a stolen key does not open what was recorded, and with authenticated encryption.
constexpr char tls12_suites[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// Named curves only: a client may choose, and one exchange in a finite field of 8192 bits costs a hundred of these.
constexpr char groups[] = "X25519:P-256:P-384";

// The longest way from a ticket back to the handshake in which both sides were verified. OpenSSL gives every ticket a
// time of its own, so without this a client that comes back in time could go on for ever.
constexpr std::chrono::seconds longest_resumption = std::chrono::hours{2};

// The protocols that are spoken, as ALPN writes them (RFC 7301 section 3.1).
constexpr unsigned char protocols[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

std::string last_failure() {
  auto const* const words = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return words != nullptr ? words : "OpenSSL did not say why";
}

// Null when OpenSSL is configured in such a way that this cannot be had.
ssl_ctx_ptr new_context(SSL_METHOD const* method) {
  ssl_ctx_ptr context(SSL_CTX_new(method));
  auto* const c = context.get();
  if (c == nullptr || SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(c, tls12_suites) != 1 || SSL_CTX_set1_groups_list(c, groups) != 1)
    return nullptr;
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_clear_mode(c, SSL_MODE_AUTO_RETRY);
  // One system call for a record instead of two.
  SSL_CTX_set_read_ahead(c, 1);
  return context;
}

bool use_identity(SSL_CTX* c, std::string const& chain_pem, redacted const& key_pem) {
  auto const chain = read_certificates(chain_pem);
  auto const key = read_private_key(key_pem.reveal());
  if (chain.empty() || !key) return false;
  if (SSL_CTX_use_certificate(c, chain.front().get()) != 1) return false;
  for (std::size_t i = 1; i < chain.size(); ++i)
    if (SSL_CTX_add1_chain_cert(c, chain[i].get()) != 1) return false;
  return SSL_CTX_use_PrivateKey(c, key.get()) == 1 && SSL_CTX_check_private_key(c) == 1;
}

bool trust(SSL_CTX* c, std::string const& ca_pem) {
  auto const all = read_certificates(ca_pem);
  auto* const store = SSL_CTX_get_cert_store(c);
  for (auto const& one : all)
    if (X509_STORE_add_cert(store, one.get()) != 1) return false;
  return !all.empty();
}

int choose_protocol(SSL*, unsigned char const** out, unsigned char* out_size, unsigned char const* offered,
                    unsigned offered_size, void*) {
  unsigned char* chosen = nullptr;
  auto const rc = SSL_select_next_proto(&chosen, out_size, protocols, sizeof protocols, offered, offered_size);
  // A client that wants to speak something else must not be answered in HTTP (RFC 7301 section 3.2).
  if (rc != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::int64_t now_in_seconds() noexcept {
  return wall_now() / 1000;
}

// A new ticket holds the time of the full handshake that it goes back to; what is resumed brings its own along.
int on_new_ticket(SSL* ssl, void*) noexcept {
  auto* const session = SSL_get_session(ssl);
  void* known = nullptr;
  std::size_t size = 0;
  if (SSL_SESSION_get0_ticket_appdata(session, &known, &size) == 1 && size == sizeof(std::int64_t)) return 1;
  auto const begun = now_in_seconds();
  return SSL_SESSION_set1_ticket_appdata(session, &begun, sizeof begun);
}

// Whether a ticket that could be opened is still good for something.
SSL_TICKET_RETURN on_ticket(SSL* ssl, SSL_SESSION* session, unsigned char const*, std::size_t, SSL_TICKET_STATUS status,
                            void*) noexcept {
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) return SSL_TICKET_RETURN_IGNORE_RENEW;
  void* data = nullptr;
  std::size_t size = 0;
  std::int64_t begun = 0;
  if (SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1 || size != sizeof begun)
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  std::memcpy(&begun, data, sizeof begun);
  if (now_in_seconds() - begun >= longest_resumption.count()) return SSL_TICKET_RETURN_IGNORE_RENEW;
  // The client's certificate is not looked at again when a session is resumed.
  auto const* const certificate = SSL_SESSION_get0_peer(session);
  if (certificate != nullptr && X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0)
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  // A ticket of TLS 1.3 is meant for one use (RFC 8446 appendix C.4).
  bool const renew = status == SSL_TICKET_SUCCESS_RENEW || SSL_version(ssl) == TLS1_3_VERSION;
  return renew ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
}

// Seals a new ticket (`sealing`) or finds what opens a client's: 0 = make do without it, 2 = open it, and give out a
// new one.
int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
               int sealing) noexcept try {
  auto& keys = *static_cast<ticket_keys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  ticket_keys::found use{};
  if (sealing != 0) {
    use.with = keys.current(steady::now());
    std::copy(use.with.name.begin(), use.with.name.end(), name);
    secure_random({iv, static_cast<std::size_t>(EVP_CIPHER_get_iv_length(EVP_aes_256_cbc()))});
  } else {
    auto const found = keys.find(name, steady::now());
    if (!found) return 0;
    use = *found;
  }
  char digest[] = "SHA256";
  std::array<OSSL_PARAM, 3> params{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, use.with.mac.data(), use.with.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, use.with.cipher.data(), iv, sealing) != 1) return -1;
  if (EVP_MAC_CTX_set_params(mac, params.data()) != 1) return -1;
  return use.renew ? 2 : 1;
} catch (std::exception const&) {
  return -1;
}

}  // namespace

void ssl_ctx_deleter::operator()(ssl_ctx_st* c) const noexcept {
  SSL_CTX_free(c);
}

void ssl_session_deleter::operator()(ssl_session_st* s) const noexcept {
  SSL_SESSION_free(s);
}

// --- tls_server

std::shared_ptr<tls_server const> tls_server::make(tls_server_options const& options, std::shared_ptr<ticket_keys> keys,
                                                   std::string& error) {
  std::shared_ptr<tls_server> server(new tls_server);
  server->keys_ = std::move(keys);
  for (auto const& identity : options.identities) {
    auto made = std::make_unique<identity_context>();
    made->context = new_context(TLS_server_method());
    made->ocsp = identity.ocsp_der;
    made->ocsp_until = ocsp_next_update(identity.ocsp_der);
    auto* const c = made->context.get();
    if (c == nullptr || !use_identity(c, identity.chain_pem, identity.key_pem) ||
        (!options.client_ca_pem.empty() && !trust(c, options.client_ca_pem))) {
      error = fmt::format("[{}]: {}", server->contexts_.size(), last_failure());
      return nullptr;
    }
    SSL_CTX_set_options(c, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    // Tickets are kept by the clients; nothing about a session is kept here.
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    constexpr unsigned char name[] = "doorward";
    SSL_CTX_set_session_id_context(c, name, sizeof name - 1);
    SSL_CTX_set_app_data(c, server->keys_.get());
    SSL_CTX_set_tlsext_ticket_key_evp_cb(c, ticket_key);
    SSL_CTX_set_session_ticket_cb(c, on_new_ticket, on_ticket, nullptr);
    SSL_CTX_set_alpn_select_cb(c, choose_protocol, nullptr);
    SSL_CTX_set_tlsext_servername_callback(c, on_server_name);
    SSL_CTX_set_tlsext_servername_arg(c, server.get());
    if (!made->ocsp.empty()) {
      SSL_CTX_set_tlsext_status_cb(c, on_status_request);
      SSL_CTX_set_tlsext_status_arg(c, made.get());
    }
    if (!options.client_ca_pem.empty()) {
      SSL_CTX_set_verify(c, SSL_VERIFY_PEER | (options.client_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
      for (auto const& authority : read_certificates(options.client_ca_pem))
        SSL_CTX_add_client_CA(c, authority.get());
    }
    for (auto const& n : identity.names)
      server->names_.emplace(n, c);  // the first that names it has it
    server->contexts_.push_back(std::move(made));
  }
  return server;
}

SSL_CTX* tls_server::for_name(std::string_view name) const noexcept {
  std::string wanted(name);
  std::transform(wanted.begin(), wanted.end(), wanted.begin(), to_lower);
  if (wanted.ends_with('.')) wanted.pop_back();
  if (auto const at = names_.find(wanted); at != names_.end()) return at->second;
  auto const dot = wanted.find('.');
  if (dot == std::string::npos) return nullptr;
  auto const at = names_.find('*' + wanted.substr(dot));
  return at != names_.end() ? at->second : nullptr;
}

int tls_server::on_server_name(SSL* ssl, int*, void* self) {
  auto const* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  auto* const context = static_cast<tls_server*>(self)->for_name(name);
  if (context == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_SSL_CTX(ssl, context);
  return SSL_TLSEXT_ERR_OK;
}

int tls_server::on_status_request(SSL* ssl, void* self) {
  auto const& [context, ocsp, until] = *static_cast<identity_context*>(self);
  if (until && *until <= wall_now()) return SSL_TLSEXT_ERR_NOACK;
  auto* const copy = static_cast<unsigned char*>(OPENSSL_memdup(ocsp.data(), ocsp.size()));
  if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(ocsp.size()));  // which owns it
  return SSL_TLSEXT_ERR_OK;
}

std::unique_ptr<tls_channel> tls_server::accept(int fd) const {
  ssl_ptr ssl(SSL_new(contexts_.front()->context.get()));
  SSL_set_accept_state(ssl.get());
  return std::make_unique<tls_channel>(std::move(ssl), fd);
}

// --- tls_client

std::unique_ptr<tls_client> tls_client::make(tls_client_options const& options, std::string& error) {
  std::unique_ptr<tls_client> client(new tls_client);
  client->context_ = new_context(TLS_client_method());
  auto* const c = client->context_.get();
  if (c == nullptr) {
    error = last_failure();
    return nullptr;
  }
  bool const trusts = options.ca_pem.empty() ? SSL_CTX_set_default_verify_paths(c) == 1 : trust(c, options.ca_pem);
  if (!trusts || (!options.chain_pem.empty() && !use_identity(c, options.chain_pem, options.key_pem))) {
    error = last_failure();
    return nullptr;
  }
  SSL_CTX_set_verify(c, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(c, protocols, sizeof protocols);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(c, on_session);
  return client;
}

// What is given to us to come back with (RFC 8446 section 4.6.1), for the name it was verified for.
int tls_client::on_session(SSL* ssl, SSL_SESSION* session) noexcept {
  if (SSL_get_verify_result(ssl) != X509_V_OK) return 0;
  auto& kept = *static_cast<resumable*>(SSL_get_app_data(ssl));
  if (SSL_session_reused(ssl) == 0) kept.verified = steady::now();
  kept.session.reset(session);
  return 1;  // it is ours now
}

std::unique_ptr<tls_channel> tls_client::connect(int fd, std::string const& written) {
  // A dot at the end is the resolver's; neither certificates nor server names have one (RFC 6066 section 3).
  auto& [name, kept] =
      *sessions_.try_emplace(written.ends_with('.') ? written.substr(0, written.size() - 1) : written).first;
  ssl_ptr ssl(SSL_new(context_.get()));
  auto* const s = ssl.get();
  in6_addr ignored{};
  bool const literal =
      ::inet_pton(AF_INET, name.c_str(), &ignored) == 1 || ::inet_pton(AF_INET6, name.c_str(), &ignored) == 1;
  if (literal) {
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s), name.c_str()) != 1) return nullptr;
  } else {
    // Names are in subjectAltName; the common name is free text (RFC 9525 section 2).
    SSL_set_hostflags(s, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (name.empty() || SSL_set1_host(s, name.c_str()) != 1) return nullptr;
    if (SSL_set_tlsext_host_name(s, name.c_str()) != 1) return nullptr;
  }
  SSL_set_app_data(s, &kept);
  if (kept.session && steady::now() - kept.verified < longest_resumption) SSL_set_session(s, kept.session.get());
  SSL_set_connect_state(s);
  return std::make_unique<tls_channel>(std::move(ssl), fd);
}

task<io_status> handshake(stream& s, watch& w, milliseconds timeout) {
  auto const until = w.after(timeout);
  for (;;) {
    auto const status = s.tls()->handshake();
    if (status != io_status::again) co_return status;
    bool const in_time = co_await s.readable(w, w.left(until));
    if (!in_time) co_return io_status::again;
  }
}

}  // namespace doorward::net
