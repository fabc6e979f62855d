#include "pipeline/explain_binding.hpp"

#include <fmt/format.h>

#include "doorward/session/binding.hpp"
#include "pipeline/binding.hpp"

namespace doorward::pipeline {

net::task<> explain_binding(exchange& x, std::string_view id, explanation& out) {
  auto const& bind = x.view().config.session.bind;
  if (bind.empty()) co_return;
  auto const o = co_await x.worker.store.find(id, x.session);
  if (o == session::outcome::found) {
    auto const d = difference_of(x);
    if (bind.user_agent)
      out.say("bound by user_agent", !x.session.has(x.view().fields.find(session::agent_name))
                                         ? "no: the session does not say which"
                                     : d.agent ? "another User-Agent than at the login"
                                               : "the same User-Agent as at the login");
    auto const slot = x.view().fields.find(session::address_name);
    if (bind.ip_prefix && !x.session.has(slot))
      out.say("bound by ip_prefix", "no: the session does not say where from");
    else if (bind.ip_prefix)
      out.say("bound by ip_prefix",
              fmt::format("to {}; the request comes from {}, which is {}", session::network_name(x.session.get(slot)),
                          x.client_address, d.network ? "elsewhere" : "there"));
  }
  x.session.clear();
}

}  // namespace doorward::pipeline
