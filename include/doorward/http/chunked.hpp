#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "doorward/base/result.hpp"

namespace doorward::http {

/// Decodes the chunked transfer coding (RFC 9112 section 7.1), strictly: CRLF only, at most 16 hexadecimal digits and no
/// overflow, at most 256 bytes of extension a chunk and 16 KiB in all, trailers within `trailer_limit` bytes and
/// dropped. A state machine: bytes in, data out, no I/O, no allocation.
class chunked_decoder {
 public:
  explicit chunked_decoder(std::size_t trailer_limit = 32 * 1024) noexcept : trailer_limit_(trailer_limit) {}

  struct step {
    std::size_t consumed = 0;   ///< bytes of the input that are done with
    std::span<char> data;       ///< body bytes, inside the input; may be empty
    bool finished = false;      ///< the last chunk and its trailers have been read; bytes beyond `consumed` are not ours
  };

  /// Takes what it can from the front of `input`: returns after at most one run of data. Call again with the rest until
  /// `consumed` is 0 or `finished`. errc::bad_request on anything the grammar does not allow; the decoder is then spent.
  [[nodiscard]] result<step> feed(std::span<char> input) noexcept;

  [[nodiscard]] bool finished() const noexcept;
  // (private part: the author's)
 private:
  std::size_t trailer_limit_;
};

}  // namespace doorward::http
