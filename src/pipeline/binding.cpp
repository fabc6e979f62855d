#include "pipeline/binding.hpp"

#include "doorward/session/binding.hpp"
#include "pipeline/lookup_count.hpp"

namespace doorward::pipeline {

difference difference_of(exchange const& x) {
  auto const& bind = x.view().config.session.bind;
  auto const& fields = x.view().fields;
  difference d;
  if (bind.user_agent) {
    if (auto const slot = fields.find(session::agent_name); x.session.has(slot)) {
      auto const* const agent = x.head.find("User-Agent");
      auto const digest = session::agent_digest(agent == nullptr ? std::string_view{} : agent->value);
      d.agent = x.session.get(slot) != std::string_view(digest.data(), digest.size());
    }
  }
  if (bind.ip_prefix) {
    if (auto const slot = fields.find(session::address_name); x.session.has(slot))
      d.network = !session::same_network(x.session.get(slot), x.client_address);
  }
  return d;
}

net::task<result<presented>> look_at_presented(exchange& x, std::string_view id) {
  presented p;
  if (x.view().config.session.bind.empty()) co_return p;
  auto const began = steady::now();
  auto lookup = x.worker.store.find(id, x.session);
  auto const o = co_await lookup;
  auto const took = steady::now() - began;
  using obs::lookup_result;
  if (o == session::outcome::unavailable) {
    x.worker.metrics.lookup(lookup_result::error, took);
    co_return to_errc(lookup.why());
  }
  p.user = x.session.user();
  p.elsewhere = o == session::outcome::found && difference_of(x).any();
  count_lookup(x.worker.metrics,
               p.elsewhere                    ? lookup_result::elsewhere
               : o == session::outcome::found ? found_by(lookup.from())
                                              : lookup_result::miss,
               lookup.from(), took);
  x.session.clear();
  co_return p;
}

}  // namespace doorward::pipeline
