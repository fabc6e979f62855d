#include "pipeline/cookie_ids.hpp"

#include <algorithm>

namespace doorward::pipeline {

bool find_cookies(exchange& x, std::string_view field) {
  auto const& name = x.view().config.session.cookie.name;
  if (x.worker.envelopes.on())
    return http::find_enclosing_cookies(field, name, auth::envelope_opener::longest, x.cookies);
  if (x.view().encoded_ids.on())
    return http::find_encoded_cookies(field, name, x.view().encoded_ids, x.opened_ids, x.cookies);
  return http::find_session_cookies(field, name, x.view().ids, x.cookies);
}

void take_ids_out(exchange& x) {
  auto& opener = x.worker.envelopes;
  if (!opener.on() || !x.cookies.present) return;
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
  // What could be no envelope at all is no better than one with a wrong signature.
  if (x.cookies.count < came || came == 0) x.cookies.trouble = http::signature_trouble::wrong;
}

}  // namespace doorward::pipeline
