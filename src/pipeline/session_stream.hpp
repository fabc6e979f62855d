#pragma once

#include "doorward/pipeline/exchange.hpp"
#include "doorward/runtime/live_sessions.hpp"

namespace doorward::pipeline {

/// What an exchange keeps open for long: a tunnel, an event stream. It ends with the session it was opened with, and
/// when that session may not open it any more. Lives in the frame of whoever carries it.
class session_stream : public runtime::live_stream {
public:
  explicit session_stream(exchange& x) noexcept : x_(x) {}

  /// From now on. Does nothing for what nobody has opened.
  void watch();

  [[nodiscard]] bool still_allowed(session::record const& now) const noexcept override;

protected:
  ~session_stream() = default;

private:
  exchange& x_;
};

/// Nothing of an event has come in a `text/event-stream` whose last bytes, at least three, are these: it is empty, or
/// ends with an empty line (HTML Standard, section 9.2.5: lines end with CR, LF or CRLF).
[[nodiscard]] bool is_between_events(std::string_view last) noexcept;

}  // namespace doorward::pipeline
