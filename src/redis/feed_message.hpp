#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace doorward::redis {

/// One message of a connection that listens (RESP2), taken apart where it lies: the strings of an array, also of one
/// inside it, in a row.
struct feed_message {
  char type = 0;          ///< `+`, `-`, `:`, `$` or `*`
  std::string_view text;  ///< of what is no array and no integer
  long long integer = 0;
  std::vector<std::string_view> texts;  ///< of an array
  bool has_nil = false;                 ///< one of its elements, or it itself, is none

  static constexpr std::size_t most_elements = 1024;
  static constexpr int deepest = 2;
};

enum class feed_parsed { whole, part, broken };

/// Takes the message that `bytes` begin with; `used` is its length when it is whole. Views into `bytes`. `broken`: no
/// message that Redis would send to a listener, or one beyond the limits. Allocates only to grow `into.texts`.
[[nodiscard]] feed_parsed parse_feed_message(std::string_view bytes, feed_message& into, std::size_t& used);

}  // namespace doorward::redis
