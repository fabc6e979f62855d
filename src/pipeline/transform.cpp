#include "doorward/base/encoding.hpp"
#include "doorward/route/route_table.hpp"
#include "pipeline/stages.hpp"

namespace doorward::pipeline {
namespace {

using runtime::route_target;

void append_line(std::string& out, std::string_view name_and_colon, std::string_view value) {
  out.append(name_and_colon);
  out.append(value);
  out.append("\r\n");
}

// Runs of neighbouring lines that pass on are copied as one piece.
void append_kept(std::string& out, exchange const& x) {
  for (std::size_t i = 0; i < x.kept.size();) {
    if (!x.kept[i]) {
      ++i;
      continue;
    }
    auto const first = i;
    while (i < x.kept.size() && x.kept[i])
      ++i;
    auto const* const begin = x.head.fields[first].name.data();
    auto const last = x.head.raw_line(i - 1);
    out.append(begin, static_cast<std::size_t>(last.data() + last.size() - begin));
  }
}

void append_cookies(std::string& out, exchange const& x) {
  auto const& name = x.view().config.session.cookie.name;
  // An identity service that keeps the sessions itself has to see its own cookie, and so has an application that does.
  auto const whole = is_upstreams_cookie(x);
  for (auto const field : x.cookie_fields) {
    auto const start = out.size();
    out.append("Cookie: ");
    if (whole) {
      out.append(field);
    } else if (!http::append_without_cookie(out, field, name)) {
      out.resize(start);
      continue;
    }
    out.append("\r\n");
  }
}

bool passes_on(exchange const& x, std::string_view name) {
  for (std::size_t i = 0; i < x.kept.size(); ++i)
    if (x.kept[i] && iequals(x.head.fields[i].name, name)) return true;
  return false;
}

// What the browser used, as far as can be known.
std::string_view scheme_of(exchange const& x) noexcept {
  if (!x.view().public_scheme.empty()) return x.view().public_scheme;
  return x.client->from.tls ? "https" : "http";
}

void append_forwarding(std::string& out, exchange const& x) {
  auto const& from = x.client->from;
  auto const kept_from_proxy = [&](std::string_view name) { return from.trusted && passes_on(x, name); };

  if (!from.is_unix) {
    out.append("X-Forwarded-For: ");
    for (auto const hop : x.hops) {
      out.append(hop);
      out.append(", ");
    }
    append_line(out, "", from.text);
  }
  if (!kept_from_proxy("x-forwarded-proto")) append_line(out, "X-Forwarded-Proto: ", scheme_of(x));
  if (!kept_from_proxy("x-forwarded-host") && !x.head.host.empty()) append_line(out, "X-Forwarded-Host: ", x.head.host);
  append_line(out, "X-Request-Id: ", x.request_id);
  append_line(out, "traceparent: ", x.traceparent);
}

// Whom the client's certificate is for. Its copies have been removed like those of identity headers.
result<void> append_certificate_subject(std::string& out, exchange const& x) {
  auto const& subject = x.client->from.certificate_subject;
  if (subject.empty() || x.view().certificate_line_start.empty()) return {};
  out.append(x.view().certificate_line_start);
  if (!append_header_value(out, subject)) return errc::bad_identity;
  out.append("\r\n");
  return {};
}

void append_framing(std::string& out, exchange const& x) {
  switch (x.head.body) {
    case http::framing::chunked: out.append("Transfer-Encoding: chunked\r\n"); break;
    case http::framing::length: append_line(out, "Content-Length: ", std::to_string(x.head.content_length)); break;
    default: break;
  }
}

}  // namespace

bool is_upstreams_cookie(exchange const& x) noexcept {
  auto const& c = x.view().config;
  if (c.identity.mode != config::identity_mode::external) return false;
  // What is shared is shared with one application: any other upstream could act as everybody who comes by.
  return x.route->to == route_target::login ||
         (c.session.cookie.shared && x.route->config.upstream == c.identity.upstream);
}

result<void> append_identity(std::string& out, exchange const& x, when_absent absent) {
  if (!x.authenticated() && absent == when_absent::left_out) return {};
  for (auto const& header : x.view().headers) {
    auto const start = out.size();
    out.append(header.line_start);
    bool complete = x.authenticated();
    for (auto const& part : header.parts) {
      if (!complete) break;
      if (!part.is_field) {
        out.append(part.text);
      } else if (x.session.has(part.slot)) {
        if (!append_header_value(out, x.session.get(part.slot))) return errc::bad_identity;
      } else if (part.optional) {
        complete = false;
      } else {
        return errc::bad_identity;  // the application would see half an identity
      }
    }
    if (!complete) {
      out.resize(start);
      if (absent == when_absent::left_out) continue;
      out.append(header.line_start);
    }
    out.append("\r\n");
  }
  return {};
}

result<void> append_assertion(std::string& out, exchange const& x, when_absent absent) {
  auto& signer = x.worker.assertions;
  if (!signer.on() || (!x.authenticated() && absent == when_absent::left_out)) return {};
  out.append(signer.line_start());
  result<void> r;
  if (x.authenticated())
    r = signer.append(out, {x.session_id, x.session, x.route_index, x.route->config.id}, wall_now());
  out.append("\r\n");
  return r;
}

bool has_meaningless_body(exchange const& x) noexcept {
  return x.head.body != http::framing::none && http::gives_body_no_meaning(x.head.verb);
}

bool passes_upgrade(exchange const& x) noexcept {
  // Nothing but WebSocket: an upgrade to h2c would carry requests past every rule here. With a body it is no handshake.
  return x.head.wants_upgrade() && iequals(x.head.upgrade, "websocket") && x.head.verb == http::method::get &&
         x.head.minor_version == 1 && x.head.body == http::framing::none && x.route->to == route_target::upstream &&
         x.route->config.upgrade;
}

result<void> transform(exchange& x) {
  if (x.route->to != route_target::upstream && x.route->to != route_target::login) return {};
  std::string_view path = x.path.text();
  if (auto const& c = x.route->config; !c.strip_prefix.empty() || !c.rewrite.empty()) {
    auto rewritten = doorward::route::upstream_path(c, path);
    if (!rewritten) return errc::ambiguous_path;
    x.upstream_path = std::move(*rewritten);
    path = x.upstream_path;
  }

  auto& out = x.upstream_head;
  out.append(x.head.method_token);
  out.append(" ");
  out.append(path);
  if (x.has_query) {
    out.append("?");
    out.append(x.query);
  }
  out.append(" HTTP/1.1\r\n");
  append_line(out, "Host: ", x.head.host);
  append_kept(out, x);
  append_cookies(out, x);
  append_forwarding(out, x);
  if (auto r = append_certificate_subject(out, x); !r) return r;
  if (auto r = append_identity(out, x, when_absent::left_out); !r) return r;
  if (auto r = append_assertion(out, x, when_absent::left_out); !r) return r;
  append_framing(out, x);
  // A server that leaves such a body unread takes it for the next request, with whatever identity it claims. After
  // `close` it must not read on (RFC 9112 section 9.6), and the connection is not used again here either.
  if (has_meaningless_body(x)) out.append("Connection: close\r\n");
  if (passes_upgrade(x)) {
    out.append("Connection: Upgrade\r\n");
    append_line(out, "Upgrade: ", x.head.upgrade);
  }
  out.append("\r\n");
  return {};
}

}  // namespace doorward::pipeline
