#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "doorward/redis/reply.hpp"

namespace doorward::redis {

/// Puts together one reply from the pieces a RESP2 reader finds. The text goes into one arena that is used again for
/// the next reply, so in steady state a reply allocates nothing; and there are caps, because a reply is somebody else's
/// bytes. Each call is false when a cap is passed: the connection has to go then.
class reply_builder {
public:
  static constexpr std::size_t most_elements = 1024;     ///< of all arrays of a reply together
  static constexpr std::size_t most_bytes = 256 * 1024;  ///< of all text of a reply together

  /// `root`: the piece is the reply, or begins it. Pieces that follow belong to the array begun last.
  [[nodiscard]] bool text(reply::kind kind, std::string_view text, bool root);
  [[nodiscard]] bool integer(long long value, bool root);
  [[nodiscard]] bool nil(bool root);
  [[nodiscard]] bool array(std::size_t elements, bool root);

  /// The reply, once it is complete, until the next one begins.
  [[nodiscard]] reply const& finish() noexcept;

private:
  void begin(reply::kind kind) noexcept;
  [[nodiscard]] bool store(std::string_view text, std::string_view& kept);
  void grow(std::size_t needed);

  reply reply_;
  std::unique_ptr<char[]> arena_;
  std::size_t used_ = 0;
  std::size_t capacity_ = 0;
  std::size_t elements_ = 0;
  std::vector<std::string_view> items_;  // views into arena_
};

}  // namespace doorward::redis
