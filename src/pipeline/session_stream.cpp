#include "pipeline/session_stream.hpp"

#include "pipeline/stages.hpp"
#include "pipeline/step_up.hpp"

namespace doorward::pipeline {

void session_stream::watch() {
  if (!x_.authenticated()) return;
  bool const active = x_.route->config.auth != config::auth_mode::passive && !x_.passive;
  x_.worker.live.add(*this, x_.session_id, x_.session, active);
}

bool session_stream::still_allowed(session::record const& now) const noexcept {
  // That the login grows old while a stream is open is no reason to end it.
  auto const level = login_facts_of(now).acr;
  return level >= x_.route->config.require.acr && is_allowed(now, *x_.route);
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
