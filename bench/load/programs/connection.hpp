// A connection of the load generator, plain or TLS.
#pragma once

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

enum class phase { connecting, handshake, sending, head, body, idle };

struct connection {
  int fd = -1;
  SSL* ssl = nullptr;
  phase at = phase::idle;
  bool upgraded = false, watching_out = false;
  std::string request;  // with the session's number patched in
  std::size_t sent = 0;
  std::string answer;    // of a head (or frame) that came in pieces
  std::size_t left = 0;  // of the answer's body
  long due = 0;
};

// Both: > 0 are bytes; 0 is nothing now; < 0 is the end.
inline long receive(connection& c, char* buffer, std::size_t size) {
  if (c.ssl) {
    const int n = SSL_read(c.ssl, buffer, static_cast<int>(size));
    if (n > 0) return n;
    const int why = SSL_get_error(c.ssl, n);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
  }
  const auto n = recv(c.fd, buffer, size, 0);
  if (n > 0) return n;
  return n < 0 && errno == EAGAIN ? 0 : -1;
}

inline long transmit(connection& c, std::string_view what) {
  if (c.ssl) {
    const int n = SSL_write(c.ssl, what.data(), static_cast<int>(what.size()));
    if (n > 0) return n;
    const int why = SSL_get_error(c.ssl, n);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
  }
  const auto n = send(c.fd, what.data(), what.size(), MSG_NOSIGNAL);
  if (n >= 0) return n;
  return errno == EAGAIN ? 0 : -1;
}
