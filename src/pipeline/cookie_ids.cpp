#include "pipeline/cookie_ids.hpp"

#include <algorithm>

namespace doorward::pipeline {

std::size_t longest_cookie_value(exchange const& x) noexcept {
  return x.worker.envelopes.on() ? auth::envelope_opener::longest : http::longest_session_id;
}

void take_ids_out(exchange& x) {
  auto& opener = x.worker.envelopes;
  if (!opener.on() || x.cookies.count == 0) return;
  auto const came = x.cookies.count;
  auto const now = wall_now();
  x.cookies.count = 0;
  for (std::size_t i = 0; i < came; ++i) {
    auto const known = x.cookies.ids.begin() + static_cast<std::ptrdiff_t>(x.cookies.count);
    auto& id = x.opened_ids[x.cookies.count];
    auto const fault = opener.open(x.cookies.ids[i], now, id);
    if (fault != auth::envelope_fault::none)
      x.envelope_fault = fault;
    else if (std::find(x.cookies.ids.begin(), known, id) == known)
      x.cookies.ids[x.cookies.count++] = id;
  }
}

errc why_no_id(exchange const& x) noexcept {
  return x.worker.envelopes.on() ? errc::session_forged : errc::session_malformed;
}

}  // namespace doorward::pipeline
