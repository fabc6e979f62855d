#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "doorward/base/time.hpp"
#include "doorward/obs/log_writer.hpp"

namespace doorward::obs {

/// One request as the access log tells it. The views must outlive the call only. There is no field for the cookie,
/// `Authorization` or the query, so that they cannot get into a log; `path` must come without its query.
struct access_record {
  epoch_ms time = 0;  ///< when the request ended
  std::string_view request_id;
  std::string_view trace_id;
  std::string_view client;  ///< address, without port
  std::string_view method;
  std::string_view host;
  std::string_view path;
  std::string_view route;        ///< its id; empty when none matched
  std::string_view user;         ///< empty = nobody
  std::string_view session;      ///< sha256_prefix() of the id; empty = none
  std::string_view decision;     ///< decision::name()
  std::string_view reason;       ///< the errc's reason, also where the answer was a redirect to the login; empty = none
  unsigned status = 0;           ///< 499: the client was gone before an answer
  std::uint64_t bytes_in = 0;    ///< request body, without chunk framing
  std::uint64_t bytes_out = 0;   ///< response body, without chunk framing
  std::int64_t total_us = 0;     ///< from the complete header section to the answer's last byte
  std::int64_t store_us = 0;     ///< 0: the store was not asked
  std::int64_t upstream_us = 0;  ///< 0: no upstream was asked
};

enum class access_style : std::uint8_t {
  json,    ///< one JSON object a line
  colour,  ///< for people, with ANSI colours
};

/// Turns records into lines. One a worker: it keeps the text of the current second.
class access_formatter {
public:
  explicit access_formatter(access_style style) noexcept : style_(style) {}

  /// Appends one line, with its newline. Does not allocate once `out` is large enough.
  void append(std::string& out, access_record const& r);

private:
  void append_json(std::string& out, access_record const& r);
  void append_colour(std::string& out, access_record const& r);
  void tell_time(epoch_ms at) noexcept;

  access_style style_;
  std::int64_t second_ = -1;
  std::array<char, 24> stamp_{};  ///< "2024-05-01T12:00:00.000Z"
};

/// One worker's end of the access log: collects lines, and hands them over in whole buffers.
class access_log {
public:
  static constexpr std::size_t hand_over_at = 32 * 1024;  ///< bytes

  access_log(log_writer& writer, access_style style);
  access_log(access_log const&) = delete;
  access_log& operator=(access_log const&) = delete;
  ~access_log() { flush(); }

  void write(access_record const& r) {
    formatter_.append(buffer_, r);
    if (buffer_.size() >= hand_over_at) flush();
  }

  /// Call every 100 ms or so, and before the worker ends.
  void flush() {
    if (!buffer_.empty()) writer_.take(buffer_);
  }

private:
  log_writer& writer_;
  access_formatter formatter_;
  std::string buffer_;
};

}  // namespace doorward::obs
