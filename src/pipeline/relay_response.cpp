#include "doorward/base/encoding.hpp"
#include "doorward/http/body.hpp"
#include "doorward/http/chunk_frame.hpp"
#include "pipeline/login_guard.hpp"
#include "pipeline/session_stream.hpp"
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

// Little is copied behind the head: that costs less than a list of parts costs the kernel.
constexpr std::size_t worth_a_part = 2 * 1024;

// What stands in the scratch, then data and tail.
net::task<result<void>> send_piece(exchange& x, std::span<char> data, std::string_view tail) {
  auto& scratch = x.worker.out;
  x.answered = true;
  x.bytes_out += data.size();
  if (data.size() > worth_a_part) return x.client->send_all(scratch, data, tail);
  scratch.append(data.data(), data.size()).append(tail);
  return x.client->send_all(scratch);
}

// An event stream that ends with its session. Where the last event is whole its end is an end like any other: a browser
// then comes again, and hears 401. In the middle of one nothing may look whole, so the body breaks off.
class session_events final : public session_stream {
public:
  session_events(exchange& x, upstream_exchange& u, framing out) noexcept
      : session_stream(x), client_(x.client->stream), upstream_(u.stream()), out_(out) {}

  void on_session_end() noexcept override {
    // A client that is being written to, and takes nothing, would keep the end from coming.
    cut_ = sending;
    (sending ? client_ : upstream_).shutdown();
  }
  void passed(std::string_view data) {
    last_.append(data.substr(data.size() - std::min(data.size(), kept)));
    if (last_.size() > kept) last_.erase(0, last_.size() - kept);
  }

  net::task<result<void>> finish(exchange& x) {
    bool const whole = !cut_ && is_between_events(last_);
    if (out_ == framing::chunked && whole) {
      http::chunk_frame frame;
      frame.wrap(0, true);
      auto& scratch = x.worker.out;
      scratch.assign(frame.before());
      scratch.append(frame.after());
      auto const told = co_await x.client->send_all(scratch);
      if (told) co_return told;
    }
    x.close = true;
    x.abort = out_ == framing::until_close && !whole;
    co_return result<void>{};
  }

  bool sending = false;

private:
  static constexpr std::size_t kept = 3;  // what is_between_events() wants to see

  net::stream& client_;
  net::stream& upstream_;
  framing out_;
  std::string last_;  // no longer than fits into it without an allocation
  bool cut_ = false;
};

bool is_over(session_events const* watched) noexcept {
  return watched != nullptr && watched->ended();
}

net::task<result<void>> relay_body(exchange& x, upstream_exchange& u, framing out, milliseconds longest_silence,
                                   session_events* watched) {
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
      if (watched != nullptr) watched->sending = true;
      auto const sent = co_await send_piece(x, step->data, frame.after());
      if (watched != nullptr) {
        watched->sending = false;
        watched->passed({step->data.data(), step->data.size()});
      }
      if (!sent && !is_over(watched)) co_return sent;
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
      if (is_over(watched)) {
        auto over = co_await watched->finish(x);
        co_return over;
      }
      auto const r = u.stream().try_read(buffer.room());
      if (r.status == net::io_status::ok) {
        buffer.commit(r.bytes);
        quiet.heard(x.worker.wheel.now());
        break;
      }
      if (r.status == net::io_status::again) {
        auto const waited = co_await await_upstream(x, u, quiet);
        if (!waited && !is_over(watched)) co_return waited;
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
  auto const sent = co_await send_piece(x, {}, {});
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
  bool const events = is_event_stream(x.response);
  auto const longest = events ? x.view().config.server.timeouts.stream_idle : u.timeouts().idle;
  session_events watched(x, u, out);
  if (events && out != framing::none) watched.watch();
  auto r = co_await relay_body(x, u, out, longest, events ? &watched : nullptr);
  x.session_end = watched.ended();
  // To this client the end of the connection is the end of the body, so it must not look like one.
  if (!r && out == framing::until_close) x.abort = true;
  co_return r;
}

}  // namespace doorward::pipeline
