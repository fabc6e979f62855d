#include <fmt/format.h>

#include <algorithm>

#include "config/address.hpp"
#include "config/sections.hpp"

namespace doorward::config {
namespace {

using std::chrono::hours;

constexpr milliseconds shortest{1};
constexpr milliseconds longest = hours{24};

std::optional<complaint> check_name(std::string_view name) {
  auto const fine = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  if (!name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), fine)) return std::nullopt;
  return complaint{"an upstream's name: up to 64 letters, digits, `-`, `_` and `.`"};
}

typed<endpoint> upstream_url() {
  return parsed_text<endpoint>("upstream URL", "^(https?://[^/?#]+|unix:/.+)$", parse_upstream_url);
}

typed<upstream_timeouts> timeouts() {
  auto const time = duration(shortest, longest);
  return mapping<upstream_timeouts>({
      field(
          "connect", &upstream_timeouts::connect, time, "1s",
          "To connect, or to wait for a connection where all are taken. No connection in this time is 504, one that is "
          "refused 502, none free 503."),
      field("first_byte", &upstream_timeouts::first_byte, time, "30s",
            "From the request sent to the first byte of the response; then 504."),
      field("idle", &upstream_timeouts::idle, time, "60s",
            "Longest silence inside a response, and how long an unused connection is kept."),
  });
}

typed<nothing> health() {
  auto const count = integer<unsigned>(1, 100);
  return mapping<nothing>({
      unused<nothing>("path", any_text("path"), "", "The path that is asked for."),
      unused<nothing>("interval", duration(shortest, longest), "", "How often."),
      unused<nothing>("unhealthy_after", count, "", "Failures in a row that take an endpoint out."),
      unused<nothing>("healthy_after", count, "", "Successes in a row that take it back in."),
  });
}

typed<upstream_tls> tls() {
  auto const name = text("host name", "^$|^[^*/]+$", [](std::string_view written) {
    return written.empty() || is_host_name(written) || is_ipv6(written) ? std::optional<complaint>{}
                                                                        : complaint{"not a host name"};
  });
  return mapping<upstream_tls>({
      field("ca", &upstream_tls::ca, file(), "\"\"",
            "Who vouches for it, PEM. Empty: whom the operating system believes."),
      field("cert", &upstream_tls::cert, file(), "\"\"", "Our certificate and its issuers, PEM."),
      field("key", &upstream_tls::key, file(), "\"\"", "Its private key, PEM, without a password."),
      field("server_name", &upstream_tls::server_name, name, "\"\"",
            "The name or address its certificate must be for. Empty: the endpoint's host."),
  });
}

typed<upstream_config> long_form() {
  return mapping<upstream_config>({
      field("endpoints", &upstream_config::endpoints, list(upstream_url(), false), "",
            "Where it can be reached, each in turn: `http://host:port`, `https://host:port` or `unix:/path`.")
          .required(),
      unused<upstream_config>("balance", choice<int>({{"round_robin", 0}}, {"least_requests"}), "round_robin",
                              "How an endpoint is chosen."),
      field("timeouts", &upstream_config::timeouts, timeouts(), "", "How long it may take."),
      field("retries", &upstream_config::retries, integer<unsigned>(0, 3), "1",
            "Further attempts, where that is safe: at other endpoints while none has taken the connection; and, unless "
            "0, "
            "once more on a new connection when a kept one died before a byte of the answer (an idempotent method, a "
            "body that is at hand as a whole)."),
      field("connections", &upstream_config::connections, integer<std::size_t>(1, 65'535), "256",
            "Connections to one endpoint at most, over all workers; when all are taken, 503."),
      unused<upstream_config>("health", health(), "", "Active health checks.").not_yet(),
      field("tls", &upstream_config::tls, tls(), "",
            "How https:// endpoints are verified; that they are cannot be turned off."),
      unused<upstream_config>("protocol", choice<int>({{"http1", 0}}, {"h2c", "h2"}), "http1",
                              "What is spoken with it."),
  });
}

// Either the URL of its one endpoint, or a mapping.
typed<upstream_config> upstream() {
  typed<upstream_config> d;
  d.type = description::kind::either;
  d.name = "upstream URL, or a mapping";
  d.parts = {upstream_url(), long_form()};
  d.read = [](description const& self, reader& r, node const& n, void* into) {
    if (n.type == node::kind::mapping) return self.parts[1].read(self.parts[1], r, n, into);
    auto& made = static_cast<upstream_config*>(into)->endpoints.emplace_back();
    self.parts[0].read(self.parts[0], r, n, &made);
  };
  return d;
}

}  // namespace

typed<std::vector<upstream_config>> describe_upstreams() {
  auto const named = [](upstream_config& u, std::string const& name, position) { u.name = name; };
  auto const value = [](upstream_config& u) -> upstream_config& { return u; };
  return dictionary<upstream_config>("^[A-Za-z0-9._-]{1,64}$", upstream(), named, value, check_name);
}

}  // namespace doorward::config
