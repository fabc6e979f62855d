#pragma once

#include <cstdint>
#include <span>

#include "doorward/base/result.hpp"
#include "doorward/http/chunked.hpp"
#include "doorward/http/head.hpp"

namespace doorward::http {

/// Finds the end of a body of any framing. A state machine over bytes that have been read; no I/O.
class body_decoder {
public:
  void start(framing f, std::uint64_t content_length) noexcept;

  struct step {
    std::size_t consumed = 0;  ///< bytes of the input that belong to this body
    std::span<char> data;      ///< body bytes: chunks have been moved together at the front of the input
    bool finished = false;     ///< the body has ended; bytes beyond `consumed` are not part of it
  };

  /// Takes all there is of the body in `input`. errc::bad_request when the chunked coding is broken.
  [[nodiscard]] result<step> feed(std::span<char> input) noexcept;

  /// Whether a message that ends here, by a closed connection, is whole.
  [[nodiscard]] bool may_end() const noexcept { return finished_ || framing_ == framing::until_close; }
  [[nodiscard]] bool finished() const noexcept { return finished_; }
  /// Bytes still to come; `length` only.
  [[nodiscard]] std::uint64_t remaining() const noexcept { return remaining_; }
  [[nodiscard]] http::framing kind() const noexcept { return framing_; }

private:
  http::framing framing_ = framing::none;
  bool finished_ = true;
  std::uint64_t remaining_ = 0;
  chunked_decoder chunks_;
};

}  // namespace doorward::http
