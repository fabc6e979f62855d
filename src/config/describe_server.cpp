#include "config/address.hpp"
#include "config/header_rules.hpp"
#include "config/sections.hpp"

namespace doorward::config {
namespace {

using std::chrono::hours;

constexpr milliseconds shortest{1};
constexpr milliseconds longest = hours{24};

typed<endpoint> listen_address() {
  return parsed_text<endpoint>("listen address", "^(unix:/.+|.+:[0-9]+)$", parse_listen);
}

typed<server_timeouts> timeouts() {
  auto const positive = duration(shortest, longest);
  auto const any = duration(milliseconds{0}, longest);
  return mapping<server_timeouts>({
      field("header", &server_timeouts::header, positive, "10s",
            "From the first byte of a request to the end of its header section; then 408."),
      field("body_idle", &server_timeouts::body_idle, positive, "30s",
            "Longest silence inside a request body; then 408."),
      field("idle", &server_timeouts::idle, positive, "75s", "How long a connection without a request is kept open."),
      field("write_idle", &server_timeouts::write_idle, positive, "30s",
            "How long a client may take nothing of a response before it is cut."),
      field("stream_idle", &server_timeouts::stream_idle, positive, "1h",
            "Longest silence of an event stream, or in both directions of an upgraded connection."),
      field("drain_delay", &server_timeouts::drain_delay, any, "5s",
            "After SIGTERM: how long serving goes on while readiness already fails."),
      field("drain", &server_timeouts::drain, any, "30s",
            "After that: the longest wait for requests in flight; then they are cut."),
  });
}

typed<server_limits> limits() {
  constexpr std::uint64_t kib = 1024;
  return mapping<server_limits>({
      field("header_bytes", &server_limits::header_bytes, size<std::size_t>(kib, kib * kib), "32KiB",
            "Request line and header section together; more is 431."),
      field("headers", &server_limits::headers, integer<std::size_t>(1, 10'000), "100", "Header lines; more is 431."),
      field("target_bytes", &server_limits::target_bytes, size<std::size_t>(64, kib * kib), "8KiB",
            "Path and query together; more is 414. Not more than `header_bytes`."),
      field("body_bytes", &server_limits::body_bytes, size<std::uint64_t>(0, kib * kib * kib * kib), "10MiB",
            "A request body; more is 413. A route can say otherwise."),
      field("connections", &server_limits::connections, integer<std::size_t>(1, 10'000'000), "10000",
            "Client connections over all workers; more are answered 503 and closed."),
      field(
          "connections_per_address", &server_limits::connections_per_address, integer<std::size_t>(0, 10'000'000), "0",
          "Of them, those of one client address (of one /64 block for IPv6). 0 is no limit; `trusted_proxies` and unix "
          "sockets have none."),
  });
}

typed<listener_config> listener_with_options() {
  return mapping<listener_config>({
      field("address", &listener_config::address, listen_address(), "", "`host:port`, `[::1]:8080` or `unix:/path`.")
          .required(),
      field("tls", &listener_config::tls, or_auto(boolean()), "auto",
            "`auto` is on where `server.tls` has a certificate and the address is no unix socket."),
      field("redirect_to_https", &listener_config::redirect_to_https, boolean(), "false",
            "Every request is sent to the same address with https, and nothing else is served."),
      field("proxy_protocol", &listener_config::proxy_protocol, boolean(), "false",
            "Connections of `trusted_proxies` begin with a PROXY header, version 1 or 2, that says who the client is; "
            "others are closed."),
      field("connections", &listener_config::connections, integer<std::size_t>(0, 10'000'000), "0",
            "Client connections of this address over all workers; more are answered 503 and closed. 0 is no limit but "
            "`limits.connections`."),
  });
}

// Either the address, or a mapping.
typed<listener_config> listener() {
  typed<listener_config> d;
  d.type = description::kind::either;
  d.name = "listen address, or a mapping";
  d.parts = {listen_address(), listener_with_options()};
  d.read = [](description const& self, reader& r, node const& n, void* into) {
    auto* const made = static_cast<listener_config*>(into);
    if (n.type == node::kind::mapping) return self.parts[1].read(self.parts[1], r, n, made);
    self.parts[0].read(self.parts[0], r, n, &made->address);
  };
  return d;
}

// One address, or a list in which each may be a mapping.
typed<std::vector<listener_config>> listeners() {
  typed<std::vector<listener_config>> d;
  d.type = description::kind::either;
  d.parts = {listen_address(), list(listener(), false)};
  d.read = [](description const& self, reader& r, node const& n, void* into) {
    if (n.type != node::kind::scalar) return self.parts[1].read(self.parts[1], r, n, into);
    auto& out = *static_cast<std::vector<listener_config>*>(into);
    out.clear();
    self.parts[0].read(self.parts[0], r, n, &out.emplace_back().address);
  };
  return d;
}

std::optional<complaint> check_server_name(std::string_view name) {
  if (is_host_name(name.starts_with("*.") ? name.substr(2) : name)) return std::nullopt;
  return complaint{"not a host name", "for example `app.example.com` or `*.example.com`"};
}

typed<tls_certificate> certificate() {
  return mapping<tls_certificate>({
      field("cert", &tls_certificate::cert, file(), "", "The certificate and its issuers, PEM.").required(),
      field("key", &tls_certificate::key, file(), "", "Its private key, PEM, without a password.").required(),
      field("ocsp", &tls_certificate::ocsp, file(), "\"\"", "An OCSP response to staple, DER."),
      field("names", &tls_certificate::names, list(text("host name", R"(^(\*\.)?[^*/]+$)", check_server_name)), "",
            "The host names it is for.")
          .without("the DNS names in the certificate"),
  });
}

typed<client_certificates> clients() {
  return mapping<client_certificates>({
      field("ca", &client_certificates::ca, file(), "\"\"",
            "Who vouches for clients, PEM. With it they are asked for a certificate."),
      field("required", &client_certificates::required, boolean(), "false",
            "A client without a certificate is not let in."),
      field("subject_header", &client_certificates::subject_header,
            text("header name", "^$|^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
                 [](std::string_view name) {
                   return name.empty() ? std::optional<complaint>{} : check_header_name(name);
                 }),
            "\"\"",
            "The header that tells upstreams the subject of a verified certificate (RFC 4514). Removed from every "
            "request, like those of `headers`."),
  });
}

typed<hsts_config> hsts() {
  return mapping<hsts_config>({
      field("max_age", &hsts_config::max_age, duration(seconds{0}, seconds{hours{24 * 730}}), "0s",
            "How long browsers are to use https only. 0s says nothing."),
      field("include_subdomains", &hsts_config::include_subdomains, boolean(), "false", "Names below this one too."),
      field("preload", &hsts_config::preload, boolean(), "false", "May be put on the lists that browsers come with."),
  });
}

}  // namespace

typed<server_config> describe_server() {
  auto const address_block = parsed_text<cidr>("CIDR", "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$", parse_cidr);
  auto const origin = parsed_text<std::string>("origin", "^$|^https?://[^/?#]+$", parse_origin);
  return mapping<server_config>({
      field(
          "listen", &server_config::listen, listeners(), default_listen,
          "Where clients connect: `host:port`, `[::1]:8080`, `unix:/path`, or a list of these and of mappings. Port 0 "
          "takes any free one."),
      field("workers", &server_config::workers, or_auto(integer<unsigned>(1, 1024)), "auto",
            "Threads. `auto` is one for each usable core; a cgroup's quota counts."),
      field("public_origin", &server_config::public_origin, origin, "\"\"",
            "Scheme, host and port that browsers see, such as `https://app.example.com`: for Secure cookies, redirects "
            "and "
            "Origin checks. Empty: taken from each request."),
      field("trusted_proxies", &server_config::trusted_proxies, list(address_block), "[]",
            "Address blocks of proxies in front, whose `X-Forwarded-*` and `Forwarded` are believed, and who may ask "
            "`/.doorward/auth`."),
      field("tls", &server_config::tls, list(certificate()), "[]",
            "Certificates; the first is for clients that ask for no name that is known. Renewed files are taken up "
            "within ten seconds, at once on SIGHUP."),
      field("client_certificates", &server_config::clients, clients(), "", "Certificates that clients show."),
      field("hsts", &server_config::hsts, hsts(), "",
            "`Strict-Transport-Security` on every answer over TLS (RFC 6797)."),
      unused<server_config>("http2", boolean(), "false", "Offer HTTP/2 where TLS is on.").not_yet(),
      field("timeouts", &server_config::timeouts, timeouts(), "", "How long clients may take."),
      field("limits", &server_config::limits, limits(), "", "How much clients may send."),
  });
}

// What fits into `Authorization: Bearer` (RFC 6750 section 2.1), and is too long to be tried out.
parsed<redacted> parse_admin_token(std::string_view written) {
  constexpr std::size_t shortest_token = 16;
  constexpr std::size_t longest_token = 1024;
  constexpr std::string_view others = "-._~+/=";
  if (written.empty()) return redacted{};
  if (written.size() < shortest_token)
    return complaint{"a token has at least 16 characters", "for example what `openssl rand -hex 32` prints"};
  if (written.size() > longest_token) return complaint{"a token has at most 1024 characters"};
  for (char const c : written) {
    bool const letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter_or_digit && others.find(c) == others.npos)
      return complaint{"a token has letters, digits and any of `-._~+/=`, and nothing else"};
  }
  return redacted{std::string{written}};
}

typed<admin_config> describe_admin() {
  auto const address = parsed_text<std::optional<endpoint>>(
      "listen address", "^$|^(unix:/.+|.+:[0-9]+)$", [](std::string_view written) -> parsed<std::optional<endpoint>> {
        if (written.empty()) return std::optional<endpoint>{};
        auto got = parse_listen(written);
        if (auto* wrong = std::get_if<complaint>(&got)) return std::move(*wrong);
        return std::optional<endpoint>{*std::get_if<endpoint>(&got)};
      });
  return mapping<admin_config>({
      field("listen", &admin_config::listen, address, default_admin_listen,
            "Where health, metrics and the effective configuration are served. `\"\"` turns it off."),
      field("token", &admin_config::token, parsed_text<redacted>("token", "", parse_admin_token), "\"\"",
            "Whoever presents it there (`Authorization: Bearer`) sees and ends people's sessions under `/sessions`. "
            "Without one, nobody does."),
  });
}

typed<log_config> describe_log() {
  return mapping<log_config>({
      field("level", &log_config::level, choice<log_level>(), "info", "The least severe lines that are written."),
      field("format", &log_config::format, choice<log_format>(), "auto",
            "`auto` is coloured text on a terminal and JSON lines elsewhere."),
      field("access", &log_config::access, boolean(), "true", "One line for each request, on standard output."),
  });
}

typed<nothing> describe_tracing() {
  return mapping<nothing>({
      unused<nothing>("otlp", any_text("URL"), "\"\"", "OTLP/HTTP endpoint that spans are sent to.").not_yet(),
      unused<nothing>("sample", number(0, 1), "1.0", "Share of requests that are traced."),
  });
}

}  // namespace doorward::config
