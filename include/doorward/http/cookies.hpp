#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "doorward/http/encoded_ids.hpp"
#include "doorward/http/signed_ids.hpp"

namespace doorward::http {

/// The longest session id.
inline constexpr std::size_t longest_session_id = 256;

/// True for a value that may be a session id: `[A-Za-z0-9._~-]{16,256}`.
[[nodiscard]] bool is_session_id(std::string_view value) noexcept;

/// What the Cookie fields of one request say about our cookie. Views into the fields.
struct session_cookies {
  static constexpr std::size_t most = 4;           ///< distinct values that are looked at
  std::array<std::string_view, most> ids{};        ///< distinct; without signatures, which were good
  std::size_t count = 0;                           ///< how many of `ids` are set
  std::array<std::string_view, most> looked_at{};  ///< as they came; not all of them gave an id
  std::size_t looked_at_count = 0;
  std::string_view first;                    ///< the value that came first, whatever it is
  bool several = false;                      ///< another one came, and it is another value
  bool too_many = false;                     ///< more distinct values were worth a look than are looked at
  bool present = false;                      ///< a cookie of our name was there at all, well-formed or not
  std::optional<signature_trouble> trouble;  ///< of the values that gave no id, the one that came nearest
};

/// Collects cookies called `name` from one Cookie field value (RFC 6265 section 4.2.1; case-sensitive name). May be
/// called for several fields with the same `into`. A value in double quotes is taken without them. True when there was
/// one in this field. Computes at most session_cookies::most signatures a request.
bool find_session_cookies(std::string_view field, std::string_view name, signed_ids const& ids,
                          session_cookies& into) noexcept;

/// The same where other programs make the cookies. The ids are put into `storage`, at the index they have in
/// `into.ids`.
bool find_encoded_cookies(std::string_view field, std::string_view name, encoded_ids const& ids,
                          std::array<std::string, session_cookies::most>& storage, session_cookies& into);

/// The same where the values are something that holds an id: each that is made of an id's characters, and at most
/// `longest` of them, is in `ids` until somebody takes the ids out.
bool find_enclosing_cookies(std::string_view field, std::string_view name, std::size_t longest, session_cookies& into);

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
