#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>

#include "doorward/redis/reply.hpp"

namespace doorward::redis {

/// Puts together one reply from the pieces a RESP2 reader finds. The text goes into one arena that is used again for
/// the next reply, so in steady state a reply allocates nothing; and there are caps, because a reply is somebody else's
/// bytes. A reply beyond the first pair of caps is walked over and handed on as `oversized`: the connection is shared,
/// and one session that has grown too large must not cost the others theirs. Beyond the second pair a call is false,
/// and the connection has to go.
class reply_builder {
public:
  static constexpr std::size_t most_elements = 1024;     ///< kept, of all arrays of a reply together
  static constexpr std::size_t most_bytes = 256 * 1024;  ///< kept, of all text of a reply together
  static constexpr std::size_t most_skipped_elements = 64 * most_elements;
  static constexpr std::size_t most_skipped_bytes = 16 * most_bytes;

  /// `root`: the piece is the reply, or begins it. Pieces that follow belong to the array begun last.
  [[nodiscard]] bool text(reply::kind kind, std::string_view text, bool root);
  /// A string inside an array: what nearly all pieces are, so the common case is here to be inlined.
  [[nodiscard]] bool item(std::string_view text) {
    if (count_ == places_ || text.size() > capacity_ - used_) return rare_item(text);
    char* const at = arena_.get() + used_;
    std::copy_n(text.data(), text.size(), at);  // an empty one may come before there is an arena
    items_[count_++] = {at, text.size()};
    used_ += text.size();
    return true;
  }
  [[nodiscard]] bool integer(long long value, bool root);
  [[nodiscard]] bool nil(bool root);
  [[nodiscard]] bool array(std::size_t elements, bool root);

  /// The reply, once it is complete, until the next one begins.
  [[nodiscard]] reply const& finish() noexcept;

private:
  void begin(reply::kind kind) noexcept;
  [[nodiscard]] bool rare_item(std::string_view text);
  [[nodiscard]] bool make_room(std::size_t bytes);
  [[nodiscard]] bool skip(std::size_t bytes) noexcept;

  reply reply_;
  std::unique_ptr<char[]> arena_;
  std::size_t used_ = 0;
  std::size_t capacity_ = 0;
  std::unique_ptr<std::string_view[]> items_;  // views into arena_
  std::size_t count_ = 0;
  std::size_t places_ = 0;    // for items of this reply; none once it is oversized
  std::size_t elements_ = 0;  // of all arrays so far
  std::size_t skipped_ = 0;   // bytes of text that were not kept
};

}  // namespace doorward::redis
