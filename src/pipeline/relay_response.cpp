#include "doorward/base/encoding.hpp"
#include "doorward/http/body.hpp"
#include "doorward/http/chunk_frame.hpp"
#include "pipeline/login_guard.hpp"
#include "pipeline/stages.hpp"
#include "pipeline/upstream_exchange.hpp"

namespace doorward::pipeline {
namespace {

using http::framing;

bool is_event_stream(http::response_head const& head) noexcept {
  auto const* f = head.find("content-type");
  return f != nullptr && iequals(f->value.substr(0, f->value.find_first_of("; \t")), "text/event-stream");
}

// How the end of the answer's body is told to this client.
framing framing_for_client(exchange const& x) noexcept {
  auto const from = x.response.body;
  if (from == framing::none || from == framing::length) return from;
  return x.head.minor_version == 1 ? framing::chunked : framing::until_close;
}

std::string_view connection_lines(exchange const& x, framing out) noexcept {
  if (out == framing::chunked)
    return x.close ? "Transfer-Encoding: chunked\r\nConnection: close\r\n" : "Transfer-Encoding: chunked\r\n";
  if (x.close) return "Connection: close\r\n";
  return x.head.minor_version == 0 ? "Connection: keep-alive\r\n" : "";
}

net::task<result<void>> send_piece(exchange& x, std::string_view head, std::span<char> data, std::string_view tail) {
  x.answered = true;
  x.bytes_out += data.size();
  return x.client->send_all(head, data, tail);
}

net::task<result<void>> relay_body(exchange& x, upstream_exchange& u, framing out, milliseconds longest_silence) {
  auto& buffer = x.upstream_buffer;
  http::body_decoder decoder;
  decoder.start(x.response.body, x.response.content_length);
  http::chunk_frame frame;
  auto& scratch = x.worker.out;
  bool ended = false;  // the upstream closed
  std::size_t this_turn = 0;
  silence quiet(x, longest_silence);
  bool first = true;  // the head is in `scratch`, and leaves with whatever of the body is here

  for (;;) {
    auto const step = decoder.feed(buffer.bytes());
    if (!step) co_return errc::upstream_bad_response;
    buffer.consume(step->consumed);
    auto const finished = step->finished || (ended && decoder.may_end());
    // Before the head is out a broken body can still be told; afterwards the connection has to break.
    if (ended && !finished) co_return errc::upstream_reset;

    if (first || !step->data.empty() || finished) {
      if (!first) scratch.clear();
      if (out == framing::chunked) frame.wrap(step->data.size(), finished);
      scratch.append(frame.before());
      auto const sent = co_await send_piece(x, scratch, step->data, frame.after());
      if (!sent) co_return sent;
      first = false;
    }
    if (finished) break;
    this_turn += step->data.size();
    if (this_turn > bytes_a_turn) {
      co_await x.worker.turns.next();
      this_turn = 0;
    }

    buffer.rewind(0);
    for (;;) {
      auto const r = u.stream().try_read(buffer.room());
      if (r.status == net::io_status::ok) {
        buffer.commit(r.bytes);
        quiet.heard(x.worker.wheel.now());
        break;
      }
      if (r.status == net::io_status::again) {
        auto const waited = co_await await_upstream(x, u, quiet);
        if (!waited) co_return waited;
        continue;
      }
      // A reset is no end, even where the end is told by closing.
      if (r.status == net::io_status::error) co_return errc::upstream_reset;
      ended = true;
      break;
    }
  }
  // Bytes beyond the answer belong to nobody; such a connection is not used again.
  bool const whole = buffer.empty() && u.request_sent && u.body_sent;
  if (x.response.keep_alive && whole && !has_meaningless_body(x)) u.lease.keep();
  co_return result<void>{};
}

// The identity service's answer goes on, its own cookies included, with another status and without its body.
net::task<result<void>> redirect_after_login(exchange& x, std::string const& to) {
  x.status = x.response.status = 303;
  x.response.reason = "See Other";
  auto extra = "Location: " + to + "\r\nContent-Length: 0\r\n";
  extra += connection_lines(x, framing::length);
  auto& out = x.worker.out;
  out.clear();
  append_response_head(out, x, extra, {.no_store = true, .without_body = true});
  auto const sent = co_await send_piece(x, out, {}, {});
  co_return sent;
}

}  // namespace

net::task<result<void>> relay_response(exchange& x, upstream_exchange& u) {
  if (x.response.status == 101) {
    if (!passes_upgrade(x) || !iequals(x.response.upgrade, "websocket")) co_return errc::upstream_bad_response;
    auto r = co_await run_tunnel(x, u);
    co_return r;
  }
  if (is_event_stream(x.response)) {
    u.watch.limit(time_point::max());
    u.body_watch.limit(time_point::max());
  }

  bool no_store = false;
  if (x.route->to == runtime::route_target::login) {
    u.login->leave();
    auto const g = co_await apply_grant(x);
    if (!g) co_return g.error();
    u.login->judge(g->any);
    if (g->falls_short != errc{}) co_return g->falls_short;
    if (!g->redirect_to.empty()) {
      auto r = co_await redirect_after_login(x, g->redirect_to);
      co_return r;
    }
    no_store = g->any;
  }

  x.status = x.response.status;
  auto const out = framing_for_client(x);
  if (out == framing::until_close) x.close = true;
  auto& scratch = x.worker.out;
  scratch.clear();
  append_response_head(scratch, x, connection_lines(x, out), {.no_store = no_store});
  auto const longest = is_event_stream(x.response) ? x.view().config.server.timeouts.stream_idle : u.timeouts().idle;
  auto r = co_await relay_body(x, u, out, longest);
  // To this client the end of the connection is the end of the body, so it must not look like one.
  if (!r && out == framing::until_close) x.abort = true;
  co_return r;
}

}  // namespace doorward::pipeline
