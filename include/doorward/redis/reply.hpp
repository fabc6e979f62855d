#pragma once

#include <span>
#include <string_view>

namespace doorward::redis {

/// One reply of Redis, flat: what doorward asks for is a value or an array of strings. Views are valid during the call
/// that shows the reply, and no longer.
struct reply {
  enum class kind { array, string, integer, status, nil, error };
  kind type = kind::nil;
  bool malformed = false;  ///< an array that holds something other than strings
  bool oversized = false;  ///< more than is read of a reply: neither text nor items are there
  std::string_view text;   ///< of a string, status or error
  long long integer = 0;
  std::span<std::string_view const> items;  ///< of an array that is not malformed
};

/// Where a reply goes. Called in the middle of the connection's work: copy what is wanted; do not resume a coroutine
/// and do not issue a command from here.
struct sink {
  virtual void on_reply(reply const& r) noexcept = 0;

protected:
  ~sink() = default;
};

}  // namespace doorward::redis
