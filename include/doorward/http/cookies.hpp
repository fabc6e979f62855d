#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace doorward::http {

/// The longest session id.
inline constexpr std::size_t longest_session_id = 256;

/// True for a value that may be a session id: `[A-Za-z0-9._~-]{16,256}`.
[[nodiscard]] bool is_session_id(std::string_view value) noexcept;

/// What the Cookie fields of one request say about our cookie. Views into the fields.
struct session_cookies {
  static constexpr std::size_t most = 4;  ///< distinct well-formed values that are looked at
  std::array<std::string_view, most> ids{};
  std::size_t count = 0;  ///< how many of `ids` are set
  bool too_many = false;  ///< more distinct well-formed values than are looked at
  bool present = false;   ///< a cookie of our name was there at all, well-formed or not
};

/// Collects cookies called `name` from one Cookie field value (RFC 6265 section 4.2.1; case-sensitive name). May be
/// called for several fields with the same `into`. A value in double quotes is taken without them. `longest`: more than
/// longest_session_id where the value is something that holds an id and is taken apart later.
void find_session_cookies(std::string_view field, std::string_view name, session_cookies& into,
                          std::size_t longest = longest_session_id) noexcept;

/// Appends `field` without the cookies called `name`; the others stay byte for byte, joined by "; " as they were.
/// Returns false, with nothing appended, when no other cookie remains.
bool append_without_cookie(std::string& out, std::string_view field, std::string_view name);

/// True when a Set-Cookie field value sets the cookie called `name`. Tolerant, as browsers are: white space around the
/// name is ignored.
[[nodiscard]] bool sets_cookie(std::string_view set_cookie, std::string_view name) noexcept;

/// True when a Set-Cookie field value takes the cookie away (RFC 6265 section 5.2): no value, a Max-Age of nothing, or
/// an Expires in 1970, which is how servers say so.
[[nodiscard]] bool ends_cookie(std::string_view set_cookie) noexcept;

}  // namespace doorward::http
