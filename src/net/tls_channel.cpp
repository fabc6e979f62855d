#include "doorward/net/tls_channel.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace doorward::net {
namespace {

// A peer that sends nothing but new keys would else keep OpenSSL reading for as long as it sends them.
constexpr std::size_t bytes_an_attempt = 64 * 1024;

// A new key costs as much as some small requests. OpenSSL never changes keys by itself, others after very much data.
constexpr unsigned most_key_updates = 16;
constexpr std::size_t data_between_key_updates = 1024 * 1024;

// Told of every message of the protocol, of which only a peer's KeyUpdate (RFC 8446 section 4.6.3) is of interest.
void on_message(int sent, int, int type, void const* bytes, std::size_t size, SSL*, void* channel) {
  if (sent == 0 && type == SSL3_RT_HANDSHAKE && size > 0 &&
      *static_cast<unsigned char const*>(bytes) == SSL3_MT_KEY_UPDATE)
    static_cast<tls_channel*>(channel)->count_key_update();
}

}  // namespace

// How OpenSSL reaches the socket. Its own would write without MSG_NOSIGNAL.
struct socket_bio {
  static tls_channel& of(BIO* b) noexcept { return *static_cast<tls_channel*>(BIO_get_data(b)); }

  static int read(BIO* b, char* into, int size) noexcept {
    auto& channel = of(b);
    BIO_clear_retry_flags(b);
    // As if there were no more for now: a wait for it ends at once.
    if (channel.budget_ == 0) {
      BIO_set_retry_read(b);
      return -1;
    }
    auto const n = ::recv(channel.fd_, into, std::min(static_cast<std::size_t>(size), channel.budget_), MSG_DONTWAIT);
    if (n < 0 && would_block()) BIO_set_retry_read(b);
    if (n == 0) channel.ended_ = true;
    if (n > 0) channel.budget_ -= static_cast<std::size_t>(n);
    return static_cast<int>(n);
  }

  static int write(BIO* b, char const* bytes, int size) noexcept {
    BIO_clear_retry_flags(b);
    auto const n = ::send(of(b).fd_, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && would_block()) BIO_set_retry_write(b);
    return static_cast<int>(n);
  }

  static long control(BIO* b, int what, long, void*) noexcept {
    switch (what) {
      case BIO_CTRL_FLUSH: return 1;
      case BIO_CTRL_EOF: return of(b).ended_ ? 1 : 0;
      default: return 0;
    }
  }

  static bool would_block() noexcept { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      auto* const m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "doorward socket");
      BIO_meth_set_read(m, read);
      BIO_meth_set_write(m, write);
      BIO_meth_set_ctrl(m, control);
      return m;
    }();
    return made;
  }
};

void ssl_deleter::operator()(ssl_st* s) const noexcept {
  SSL_free(s);
}

tls_channel::tls_channel(ssl_ptr ssl, int fd) : ssl_(std::move(ssl)), fd_(fd) {
  SSL_set_msg_callback(ssl_.get(), on_message);
  SSL_set_msg_callback_arg(ssl_.get(), this);
  auto* const bio = BIO_new(socket_bio::method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // which owns it
}

tls_channel::~tls_channel() = default;

io_status tls_channel::status_of(int rc, bool writing) noexcept {
  switch (SSL_get_error(ssl_.get(), rc)) {
    case SSL_ERROR_WANT_READ: (writing ? write_reads_ : read_writes_) = writing; return io_status::again;
    case SSL_ERROR_WANT_WRITE: (writing ? write_reads_ : read_writes_) = !writing; return io_status::again;
    case SSL_ERROR_ZERO_RETURN: return io_status::eof;
    default: break;
  }
  failed_ = true;
  auto const error = ERR_peek_error();
  spoke_http_ = ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST;
  auto const* const words = error == 0 ? nullptr : ERR_reason_error_string(error);
  failure_ = words != nullptr ? words : "the connection broke";
  // Which of the many things that can be wrong with a certificate it was.
  if (auto const verdict = SSL_get_verify_result(ssl_.get()); verdict != X509_V_OK) {
    failure_ += ": ";
    failure_ += X509_verify_cert_error_string(verdict);
  }
  ERR_clear_error();
  return io_status::error;
}

io_result tls_channel::fail(char const* why) noexcept {
  failed_ = true;
  failure_ = why;
  ERR_clear_error();
  return {io_status::error};
}

io_status tls_channel::handshake() noexcept {
  if (failed_) return io_status::error;
  ERR_clear_error();
  budget_ = bytes_an_attempt;
  auto const rc = SSL_do_handshake(ssl_.get());
  if (rc == 1) return io_status::ok;
  auto const status = status_of(rc, false);
  return status == io_status::eof ? io_status::error : status;
}

io_result tls_channel::read(std::span<char> into) noexcept {
  if (failed_) return {io_status::error};
  ERR_clear_error();
  budget_ = bytes_an_attempt;
  std::size_t bytes = 0;
  // Records may be as small as the peer likes. What has come of them is taken together.
  do {
    auto const n = SSL_read(ssl_.get(), into.data() + bytes, static_cast<int>(into.size() - bytes));
    if (key_updates_ > most_key_updates) return fail("too many key updates");
    if (n <= 0) {
      auto const status = status_of(n, false);
      // An end or an error is met again by the next attempt.
      return bytes > 0 ? io_result{io_status::ok, bytes} : io_result{status};
    }
    bytes += static_cast<std::size_t>(n);
  } while (bytes < into.size() && SSL_has_pending(ssl_.get()) == 1);
  data_since_key_update_ += bytes;
  if (data_since_key_update_ >= data_between_key_updates) key_updates_ = 0;
  return {io_status::ok, bytes};
}

io_status tls_channel::peek() noexcept {
  if (failed_) return io_status::error;
  ERR_clear_error();
  budget_ = bytes_an_attempt;
  char byte;
  auto const n = SSL_peek(ssl_.get(), &byte, 1);
  if (key_updates_ > most_key_updates) return fail("too many key updates").status;
  return n > 0 ? io_status::ok : status_of(n, false);
}

io_result tls_channel::write_record(char const* bytes, std::size_t size) noexcept {
  ERR_clear_error();
  budget_ = bytes_an_attempt;
  auto const n = SSL_write(ssl_.get(), bytes, static_cast<int>(size));
  if (n > 0) return {io_status::ok, static_cast<std::size_t>(n)};
  auto const status = status_of(n, true);
  return {status == io_status::eof ? io_status::error : status};
}

// A head and the beginning of its body share a record, and so a packet: what is small is put together first.
io_result tls_channel::write(std::span<iovec const> parts) noexcept {
  static thread_local std::array<char, SSL3_RT_MAX_PLAIN_LENGTH> record;
  if (failed_) return {io_status::error};
  std::size_t written = 0;
  std::size_t part = 0;
  std::size_t offset = 0;
  for (;;) {
    while (part < parts.size() && offset == parts[part].iov_len) {
      ++part;
      offset = 0;
    }
    if (part == parts.size()) return {io_status::ok, written};

    auto const* bytes = static_cast<char const*>(parts[part].iov_base) + offset;
    auto size = std::min(parts[part].iov_len - offset, record.size());
    bool const alone = size == record.size() || part + 1 == parts.size();
    if (!alone) {
      std::size_t filled = 0;
      auto from = offset;
      for (auto i = part; i < parts.size() && filled < record.size(); ++i, from = 0) {
        auto const* const begin = static_cast<char const*>(parts[i].iov_base) + from;
        auto const n = std::min(parts[i].iov_len - from, record.size() - filled);
        std::copy_n(begin, n, record.data() + filled);
        filled += n;
      }
      bytes = record.data();
      size = filled;
    }
    auto const r = write_record(bytes, size);
    if (r.status != io_status::ok) return written > 0 ? io_result{io_status::ok, written} : r;
    written += r.bytes;
    for (auto left = r.bytes; left > 0;) {
      auto const n = std::min(left, parts[part].iov_len - offset);
      left -= n;
      offset += n;
      if (offset == parts[part].iov_len && left > 0) {
        ++part;
        offset = 0;
      }
    }
  }
}

bool tls_channel::has_decrypted() const noexcept {
  return !failed_ && SSL_pending(ssl_.get()) > 0;
}

void tls_channel::close_notify() noexcept {
  if (failed_ || SSL_is_init_finished(ssl_.get()) == 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

bool tls_channel::resumed() const noexcept {
  return SSL_session_reused(ssl_.get()) == 1;
}

std::string tls_channel::peer_subject() const {
  auto const* const certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return {};
  auto* const out = BIO_new(BIO_s_mem());
  auto const printed = X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* bytes = nullptr;
  auto const size = BIO_get_mem_data(out, &bytes);
  // Of a name that cannot be written, the beginning would be somebody else's.
  std::string text(bytes, printed < 0 ? 0 : static_cast<std::size_t>(size));
  BIO_free(out);
  return text;
}

}  // namespace doorward::net
