#include "pipeline/session_stream.hpp"

#include "pipeline/stages.hpp"

namespace doorward::pipeline {

void session_stream::watch() {
  if (!x_.authenticated()) return;
  bool const active = x_.route->config.auth != config::auth_mode::passive && !x_.passive;
  x_.worker.live.add(*this, x_.session_id, x_.session, active);
}

bool session_stream::still_allowed(session::record const& now) const noexcept {
  return is_allowed(now, *x_.route);
}

bool is_between_events(std::string_view last) noexcept {
  if (last.empty()) return true;
  auto const ends_line = [&] { return last.ends_with('\n') || last.ends_with('\r'); };
  if (last.ends_with("\r\n"))
    last.remove_suffix(2);
  else if (ends_line())
    last.remove_suffix(1);
  else
    return false;
  return ends_line();
}

}  // namespace doorward::pipeline
