#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct ssl_st;

namespace doorward::net {

/// What came of one attempt that does not block.
enum class io_status : std::uint8_t {
  ok,     ///< `bytes` were moved, at least one
  again,  ///< nothing could be moved now: wait, then try again
  eof,    ///< the peer has sent everything (reading only)
  error,  ///< the connection is gone
};
struct io_result {
  io_status status;
  std::size_t bytes = 0;
};

struct ssl_deleter {
  void operator()(ssl_st* s) const noexcept;
};
using ssl_ptr = std::unique_ptr<ssl_st, ssl_deleter>;

/// TLS over one connected socket: the same attempts that do not block, in records (RFC 8446, RFC 5246). It is made by
/// tls_server or tls_client and lives in a stream. An end without a close_notify is an error and no end: what came so
/// far may have been cut (RFC 8446 section 6.1).
class tls_channel {
public:
  tls_channel(ssl_ptr ssl, int fd);
  tls_channel(tls_channel const&) = delete;
  tls_channel& operator=(tls_channel const&) = delete;
  ~tls_channel();

  /// One step of the handshake: `ok` when it is done.
  [[nodiscard]] io_status handshake() noexcept;

  [[nodiscard]] io_result read(std::span<char> into) noexcept;
  /// After `again`, and after `ok` with fewer bytes than were offered, the next attempt must begin with the bytes that
  /// were not taken, at whatever place they are then, and offer no fewer of them: a record of them may be sealed.
  [[nodiscard]] io_result write(std::span<iovec const> parts) noexcept;
  [[nodiscard]] io_status peek() noexcept;

  /// Bytes can be read without the socket.
  [[nodiscard]] bool has_decrypted() const noexcept;
  /// What the socket has to be waited for, so that the attempt can go on that said `again`: TLS may have to write
  /// before it can read, and the other way round.
  [[nodiscard]] bool waits_for_write(bool writing) const noexcept { return writing ? !write_reads_ : read_writes_; }

  /// Says that nothing will follow. At most one attempt, which a full socket swallows; nothing after abandon().
  void close_notify() noexcept;
  /// The connection ends without a word, so that the peer sees it cut.
  void abandon() noexcept { failed_ = true; }

  [[nodiscard]] bool resumed() const noexcept;
  /// The peer's certificate's subject (RFC 4514), when it has shown one and it was verified; else empty.
  [[nodiscard]] std::string peer_subject() const;
  /// Why the handshake or the connection failed, in OpenSSL's words; empty when it did not, or was abandoned.
  [[nodiscard]] std::string const& failure() const noexcept { return failure_; }
  /// The client spoke HTTP without TLS.
  [[nodiscard]] bool spoke_http() const noexcept { return spoke_http_; }

  [[nodiscard]] ssl_st* native() noexcept { return ssl_.get(); }
  /// For OpenSSL's callback.
  void count_key_update() noexcept {
    ++key_updates_;
    data_since_key_update_ = 0;
  }

private:
  friend struct socket_bio;
  [[nodiscard]] io_status status_of(int rc, bool writing) noexcept;
  io_result fail(char const* why) noexcept;
  [[nodiscard]] io_result write_record(char const* bytes, std::size_t size) noexcept;

  ssl_ptr ssl_;
  int fd_;
  std::size_t budget_ = 0;    ///< bytes that this attempt may yet take from the socket
  bool read_writes_ = false;  ///< reading waits until the socket can be written
  bool write_reads_ = false;  ///< writing waits until there is something to be read
  bool ended_ = false;        ///< the socket has come to its end
  bool failed_ = false;
  unsigned key_updates_ = 0;  ///< of the peer
  std::size_t data_since_key_update_ = 0;
  bool spoke_http_ = false;
  std::string failure_;
};

}  // namespace doorward::net
