#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "doorward/base/result.hpp"

namespace doorward::http {

/// Decodes the chunked transfer coding (RFC 9112 section 7.1), strictly: CRLF only, at most 16 hexadecimal digits and a
/// size that fits 63 bits, at most 256 bytes of extension a chunk and 16 KiB in all, trailers within `trailer_limit`
/// bytes and dropped. A state machine: bytes in, data out, no I/O, no allocation. How the input is cut into pieces
/// makes no difference to what comes out.
class chunked_decoder {
public:
  explicit chunked_decoder(std::size_t trailer_limit = 32 * 1024) noexcept : trailer_limit_(trailer_limit) {}

  struct step {
    std::size_t consumed = 0;  ///< bytes of the input that are done with
    std::span<char> data;      ///< body bytes, inside the input; may be empty
    bool finished = false;     ///< the last chunk and its trailers have been read; bytes beyond `consumed` are not ours
  };

  /// Takes what it can from the front of `input`: returns after at most one run of data. Call again with the rest until
  /// `consumed` is 0 or `finished`. errc::bad_request on anything the grammar does not allow; the decoder is then
  /// spent.
  [[nodiscard]] result<step> feed(std::span<char> input) noexcept;

  [[nodiscard]] bool finished() const noexcept { return state_ == state::done; }

private:
  enum class state : std::uint8_t {
    size_first,         // before the first digit of a chunk size
    size,               // after a digit
    size_blank,         // blanks after the size: an extension has to follow
    ext_start,          // after ';'
    ext_name,           // inside an extension's name
    ext_name_blank,     // blanks after it
    ext_value_start,    // after '='
    ext_value,          // inside a value that is a token
    ext_quoted,         // inside a quoted string
    ext_escaped,        // after a '\' in one
    ext_quoted_end,     // right behind its closing quote
    ext_value_blank,    // blanks after a value
    size_line_feed,     // after the CR of a size line
    data,               // inside a chunk's data
    data_return,        // at the CR behind it
    data_line_feed,     // at the LF behind it
    trailer_first,      // at the start of a trailer line, or of the empty line that ends them
    trailer_name,       // inside a trailer's name
    trailer_value,      // behind its ':'
    trailer_line_feed,  // after the CR of a trailer line
    end_line_feed,      // after the CR of the empty line
    done,
    failed,
  };

  [[nodiscard]] state after(unsigned char c) noexcept;
  [[nodiscard]] state after_size(unsigned char c) noexcept;
  [[nodiscard]] state after_extension(unsigned char c) noexcept;
  [[nodiscard]] state after_trailer(unsigned char c) noexcept;

  std::size_t trailer_limit_;
  std::uint64_t remaining_ = 0;  // of the chunk: its size while that is read, then what is to come
  std::size_t trailer_bytes_ = 0;
  std::uint32_t extension_bytes_ = 0;   // of this chunk
  std::uint32_t extensions_bytes_ = 0;  // of all chunks so far
  std::uint8_t digits_ = 0;
  state state_ = state::size_first;
};

}  // namespace doorward::http
