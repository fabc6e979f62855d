#include "pipeline/binding.hpp"

#include "doorward/session/binding.hpp"
#include "exchange_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

// What is compared, and with what. What becomes of it: integration/sessions.

namespace {

std::string digest(std::string_view agent) {
  auto const d = session::agent_digest(agent);
  return {d.data(), d.size()};
}

/// The difference between a request and a session with these fields: "", "agent", "network", "agent network".
std::string differs(std::string const& bind, std::vector<std::string> request,
                    std::vector<std::pair<std::string, std::string>> const& fields) {
  exchange_fixture b("session: { bind: [" + bind + "] }\nroutes: [{ path: /**, upstream: app }]\n");
  b.from.trusted = true;
  request.emplace_back("Host: h");
  REQUIRE(outcome(b.matched(head_of("GET /a HTTP/1.1", request))) == "ok");
  for (auto const& [name, value] : fields)
    if (auto const slot = b.worker.view.fields.find(name); slot != session::field_layout::none)
      REQUIRE(b.x.session.set(slot, value));
  auto const d = difference_of(b.x);
  if (d.agent && d.network) return "agent network";
  return d.agent ? "agent" : d.network ? "network" : "";
}

}  // namespace

TEST_CASE("a request and a session, by what binds them") {
  std::string const both = "user_agent, ip_prefix";
  std::vector<std::pair<std::string, std::string>> const made{{"doorward.agent", digest("browser/1")},
                                                              {"doorward.address", "192.0.2.99"}};
  // The fixture's client is at 192.0.2.1.
  CHECK(differs(both, {"User-Agent: browser/1"}, made).empty());
  CHECK(differs(both, {"User-Agent: browser/2"}, made) == "agent");
  CHECK(differs(both, {}, made) == "agent");
  CHECK(differs(both, {"User-Agent: browser/1", "X-Forwarded-For: 198.51.100.1"}, made) == "network");
  CHECK(differs(both, {"X-Forwarded-For: 198.51.100.1"}, made) == "agent network");
  CHECK(differs("user_agent", {"User-Agent: browser/1", "X-Forwarded-For: 198.51.100.1"}, made).empty());
  CHECK(differs("ip_prefix", {"User-Agent: browser/2"}, made).empty());
  CHECK(differs("", {"X-Forwarded-For: 198.51.100.1"}, made).empty());
}

TEST_CASE("a session that does not say where it was made is not bound; one that says something unreadable is") {
  std::string const both = "user_agent, ip_prefix";
  CHECK(differs(both, {}, {}).empty());
  CHECK(differs(both, {}, {{"doorward.agent", digest("")}, {"doorward.address", "192.0.2.1"}}).empty());
  CHECK(differs(both, {}, {{"doorward.agent", ""}, {"doorward.address", ""}}) == "agent network");
  CHECK(differs(both, {}, {{"doorward.agent", "browser/1"}, {"doorward.address", "here"}}) == "agent network");
}
