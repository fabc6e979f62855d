#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "doorward/base/encoding.hpp"
#include "doorward/base/result.hpp"

namespace doorward::http {

/// What a proxy has to know a field by. Everything else is `other`.
enum class field_id : std::uint8_t {
  other,
  accept,
  connection,
  content_length,
  cookie,
  expect,
  forwarded,
  host,
  keep_alive,
  location,
  origin,
  proxy_authenticate,
  proxy_authorization,
  proxy_connection,
  referer,
  set_cookie,
  te,
  trailer,
  transfer_encoding,
  upgrade,
};

/// One field line of a header section: views into the bytes it was parsed from.
struct field_line {
  std::string_view name;
  std::string_view value;  ///< without white space around it
  field_id id = field_id::other;
};

/// How the end of a body is found (RFC 9112 section 6).
enum class framing : std::uint8_t {
  none,         ///< there is no body
  length,       ///< `content_length` bytes
  chunked,      ///< the chunked coding
  until_close,  ///< responses only
};

/// Methods that doorward treats in a way of their own; the rest is `other`.
enum class method : std::uint8_t { get, head, post, put, delete_, options, patch, trace, connect, other };
[[nodiscard]] method method_of(std::string_view token) noexcept;
[[nodiscard]] std::string_view to_string(method m) noexcept;

/// RFC 9110 section 9.2.1: asks for nothing to be changed.
[[nodiscard]] constexpr bool is_safe(method m) noexcept {
  return m == method::get || m == method::head || m == method::options || m == method::trace;
}
/// RFC 9110 section 9.3: a body of such a request means nothing, and many servers do not read it.
[[nodiscard]] constexpr bool gives_body_no_meaning(method m) noexcept {
  return is_safe(m) || m == method::delete_;
}
/// RFC 9110 section 9.2.2: may be sent twice.
[[nodiscard]] constexpr bool is_idempotent(method m) noexcept {
  return is_safe(m) || m == method::put || m == method::delete_;
}

/// What the fields of either direction say about the message and the connection.
struct message_head {
  std::vector<field_line> fields;  ///< in the order of the wire; the capacity is reused
  framing body = framing::none;
  std::uint64_t content_length = 0;      ///< when body is `length`
  unsigned minor_version = 1;            ///< of HTTP/1.x
  bool keep_alive = true;                ///< RFC 9112 section 9.3
  bool connection_names_fields = false;  ///< Connection lists more than close, keep-alive and upgrade
  bool connection_upgrade = false;       ///< Connection lists upgrade
  std::string_view upgrade;              ///< value of Upgrade, empty when absent
  std::string_view block;                ///< the field lines as they came, CRLF of the last one included

  /// As new; the capacity of `fields` stays.
  void clear() noexcept;
  /// The bytes of field line `i`, its CRLF included.
  [[nodiscard]] std::string_view raw_line(std::size_t i) const noexcept {
    auto const* const end = i + 1 < fields.size() ? fields[i + 1].name.data() : block.data() + block.size();
    return {fields[i].name.data(), static_cast<std::size_t>(end - fields[i].name.data())};
  }
  [[nodiscard]] field_line const* find(field_id id) const noexcept;
  [[nodiscard]] field_line const* find(std::string_view name) const noexcept;
};

struct request_head : message_head {
  std::string_view method_token;
  http::method verb = http::method::other;
  std::string_view target;  ///< origin-form; the path and query of an absolute-form
  std::string_view host;    ///< Host, or the authority of an absolute-form, which outranks it; empty in HTTP/1.0 only
  bool expects_continue = false;
  void clear() noexcept;
  [[nodiscard]] bool wants_upgrade() const noexcept { return connection_upgrade && !upgrade.empty(); }
};

struct response_head : message_head {
  unsigned status = 0;
  std::string_view reason;
};

struct head_limits {
  std::size_t header_bytes = 32 * 1024;  ///< the whole head, request line included
  std::size_t fields = 100;
  std::size_t target_bytes = 8 * 1024;
};

/// Looks for the end of a head. `from` is where an earlier call left off, 0 at first, and is moved on. Returns the
/// number of bytes up to and including the empty line, 0 when more are needed. errc::bad_request at once for a bare LF,
/// errc::header_too_large (target_too_long while still in the request line) beyond the limits.
[[nodiscard]] result<std::size_t> find_head_end(std::string_view bytes, std::size_t& from, head_limits const& limits);

/// Parses a whole request head, as found by find_head_end, in place. Beast's grammar, and on top of it everything that
/// two parsers could read in two ways is errc::bad_request (RFC 9112 sections 3.2, 5 and 6; docs/security.md has the
/// list). `bytes` must outlive `out`, which is filled anew.
[[nodiscard]] result<void> parse_request_head(std::string_view bytes, head_limits const& limits, request_head& out);

/// The same for a response to a request with method `m`. errc::upstream_bad_response.
[[nodiscard]] result<void> parse_response_head(std::string_view bytes, head_limits const& limits, method m,
                                               response_head& out);

/// Calls `f` for each element of a comma-separated list, trimmed, the empty ones left out.
template <class F>
void for_each_token(std::string_view list, F&& f) {
  while (!list.empty()) {
    auto const comma = list.find(',');
    auto const token = trim(list.substr(0, comma));
    list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
    if (!token.empty()) f(token);
  }
}

}  // namespace doorward::http
