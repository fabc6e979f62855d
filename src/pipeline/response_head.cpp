#include "doorward/base/encoding.hpp"
#include "pipeline/own.hpp"
#include "pipeline/stages.hpp"
#include "pipeline/upstream_exchange.hpp"

namespace doorward::pipeline {
namespace {

using http::field_id;

// A server may send 100 and 103 as it likes; one that does nothing else is broken.
constexpr unsigned most_interim_answers = 8;

// How long the upstream is waited for before the client is looked at: nearly every answer comes sooner, and then the
// looking costs nothing.
constexpr milliseconds between_looks{1'000};

bool drops(exchange const& x, http::field_line const& f, head_changes changes) noexcept {
  switch (f.id) {
    case field_id::connection:
    case field_id::keep_alive:
    case field_id::proxy_authenticate:
    case field_id::proxy_connection:
    case field_id::te:
    case field_id::trailer:
    case field_id::transfer_encoding:
    case field_id::upgrade: return true;
    case field_id::content_length:
      return changes.without_body || x.response.status / 100 == 1 || x.response.status == 204;
    case field_id::set_cookie:
      return !is_upstreams_cookie(x) && http::sets_cookie(f.value, x.view().config.session.cookie.name);
    default: break;
  }
  if (changes.no_store && iequals(f.name, "cache-control")) return true;
  if (changes.without_body && (iequals(f.name.substr(0, 8), "content-") || iequals(f.name, "etag"))) return true;
  // What is said of this origin is said here, where TLS ends.
  if (!hsts_line(x).empty() && iequals(f.name, "strict-transport-security")) return true;
  return iequals(f.name, "x-request-id");
}

bool named_by_connection(http::response_head const& head, std::string_view name) {
  bool named = false;
  for (auto const& f : head.fields) {
    if (f.id == field_id::connection)
      http::for_each_token(f.value, [&](std::string_view token) { named = named || iequals(token, name); });
  }
  return named;
}

}  // namespace

silence::silence(exchange const& x, milliseconds longest) noexcept
    : longest_(longest), until_(x.worker.wheel.now() + longest), next_look_(x.worker.wheel.now() + between_looks) {}

net::task<result<void>> await_upstream(exchange& x, upstream_exchange& u, silence& s) {
  for (;;) {
    auto const now = x.worker.wheel.now();
    if (u.watch.limit_passed()) co_return errc::upstream_timeout;
    if (!u.body_sent && !u.body_stuck) {
      // While a body is being read from the client, its reader sees the end, and the upstream need not hurry.
      s.heard(now);
    } else {
      if (s.until_ <= now) co_return errc::upstream_timeout;
      // The identity service goes on with a password whoever has gone, so its place is not free before it has answered.
      bool const looks = s.next_look_ <= now && u.login == nullptr;
      if (looks && x.client->stream.hung_up()) co_return errc::client_gone;
    }
    if (s.next_look_ <= now) s.next_look_ = now + between_looks;
    bool const in_time = co_await u.stream().readable(u.watch, u.watch.left(std::min(s.until_, s.next_look_)));
    if (in_time) co_return result<void>{};
  }
}

net::task<result<void>> read_response_head(exchange& x, upstream_exchange& u) {
  auto& buffer = x.upstream_buffer;
  auto const& limits = x.view().limits;
  std::size_t searched = 0;
  unsigned interim = 0;
  silence quiet(x, u.timeouts().first_byte);

  // Behind what is ready now: on a busy worker the answer is there by then, and the first attempt to read finds it.
  auto& guess = u.cluster.answers();
  bool first = u.stream().tls() != nullptr || guess.try_first();
  bool waits = !first;
  if (first) co_await x.worker.turns.next();
  for (;;) {
    if (!buffer.empty()) {
      auto const end = http::find_head_end(buffer.data(), searched, limits);
      if (!end) co_return errc::upstream_bad_response;
      if (*end > 0) {
        auto const bytes = buffer.data().substr(0, *end);
        if (auto r = http::parse_response_head(bytes, limits, x.head.verb, x.response); !r) co_return r;
        buffer.consume(*end);
        if (x.response.status == 101 || x.response.status >= 200) co_return result<void>{};
        if (++interim > most_interim_answers) co_return errc::upstream_bad_response;
        searched = 0;
        continue;
      }
    }
    if (buffer.room().empty()) {
      buffer.compact();
      if (buffer.room().empty()) buffer.grow();
    }
    auto const r = waits ? net::io_result{net::io_status::again} : u.stream().try_read(buffer.room());
    waits = false;
    if (first) guess.found(r.status != net::io_status::again);
    first = false;
    if (r.status == net::io_status::ok) {
      buffer.commit(r.bytes);
      u.head_started = true;
      quiet.heard(x.worker.wheel.now());
    } else if (r.status == net::io_status::again) {
      auto const waited = co_await await_upstream(x, u, quiet);
      if (!waited) co_return waited;
    } else {
      co_return errc::upstream_reset;
    }
  }
}

void append_response_head(std::string& out, exchange& x, std::string_view extra, head_changes changes) {
  auto const& head = x.response;
  out.append("HTTP/1.1 ");
  append_number(out, head.status);
  out.append(" ");
  out.append(head.reason);
  out.append("\r\n");

  std::uint64_t stripped = 0;
  bool dated = false;
  std::size_t run = 0;  // bytes of the field block that pass on and have not been copied yet
  char const* run_begin = nullptr;
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    auto const& f = head.fields[i];
    dated = dated || iequals(f.name, "date");
    // Only the identity service may speak in these names, and what it says is for doorward.
    auto const grant = f.name.size() > 9 && iequals(f.name.substr(0, 9), "doorward-");
    if (grant && x.route->to != runtime::route_target::login) ++stripped;
    if (grant || drops(x, f, changes) ||
        (head.connection_names_fields && f.id != field_id::content_length && named_by_connection(head, f.name))) {
      out.append(run_begin, run);
      run = 0;
      continue;
    }
    auto const line = head.raw_line(i);
    if (run == 0) run_begin = line.data();
    run += line.size();
  }
  out.append(run_begin, run);
  if (stripped > 0) x.worker.metrics.reserved_headers_stripped(stripped);

  // RFC 9110 section 6.6.1: whoever forwards an answer without a date adds one.
  if (!dated) {
    out.append("Date: ");
    out.append(x.worker.date);
    out.append("\r\n");
  }
  out.append("X-Request-Id: ");
  out.append(x.request_id);
  out.append("\r\n");
  if (!x.set_cookie.empty()) {
    out.append("Set-Cookie: ");
    out.append(x.set_cookie);
    out.append("\r\n");
  }
  if (changes.no_store) out.append("Cache-Control: no-store\r\n");
  out.append(hsts_line(x));
  out.append(extra);
  out.append("\r\n");
}

}  // namespace doorward::pipeline
