#include "doorward/http/chunk_frame.hpp"
#include "doorward/pipeline/answer.hpp"
#include "pipeline/login_guard.hpp"
#include "pipeline/own.hpp"
#include "pipeline/stages.hpp"
#include "pipeline/upstream_exchange.hpp"

namespace doorward::pipeline {
namespace {

using runtime::route_target;

// Sends head and body in one write, if the kernel takes them. That not all of it went out is no reason to stop: an
// upstream may have answered before it closed, and the reading that follows finds out.
net::task<bool> send_request(exchange& x, upstream_exchange& u, std::span<char> body) {
  std::array parts{net::as_iovec(x.upstream_head), net::as_iovec({body.data(), body.size()})};
  auto const r = u.stream().try_write(parts);
  if (r.status == net::io_status::error) co_return false;
  auto const rest = net::advance(parts, r.bytes);
  if (rest.empty()) co_return true;
  auto const written = co_await net::write_all(u.stream(), u.watch, u.timeouts().idle, rest);
  co_return written == net::io_status::ok;
}

// Ends the coroutine that sends the body, wherever it waits.
net::task<> stop_body(upstream_exchange& u, net::child& sender) {
  if (!sender.running()) co_return;
  u.stop_body = true;
  u.body_watch.interrupt();
  co_await sender.join();
}

// Adds what passes in its lifetime to the upstream's time, less what the store took meanwhile (the grant of a login).
class upstream_clock {
public:
  explicit upstream_clock(exchange& x) noexcept : x_(x), began_(steady::now()), store_before_(x.store_time) {}
  upstream_clock(upstream_clock const&) = delete;
  upstream_clock& operator=(upstream_clock const&) = delete;
  ~upstream_clock() { x_.upstream_time += steady::now() - began_ - (x_.store_time - store_before_); }

private:
  exchange& x_;
  time_point began_;
  std::chrono::nanoseconds store_before_;
};

// One attempt, on the connection that u holds or on a new one.
net::task<result<void>> attempt(exchange& x, upstream_exchange& u, std::span<char> body) {
  upstream_clock const clock(x);
  if (!u.lease) {
    auto fresh = co_await u.cluster.connect(u.watch);
    if (!fresh) co_return fresh.error();
    u.lease = std::move(*fresh);
  }
  // Now that the request is going to be forwarded, and not before.
  bool const told = co_await x.client->send_continue();
  if (!told) co_return errc::client_gone;

  u.request_sent = co_await send_request(x, u, body);
  net::child sender;
  if (!u.body_whole && u.request_sent) {
    u.body_sent = false;
    sender.start(send_body(x, u));
  }

  auto r = co_await read_response_head(x, u);
  if (r) r = co_await relay_response(x, u);
  co_await stop_body(u, sender);
  // A body that could not be read to its end explains whatever the upstream did about it.
  if (u.body_error != errc{} && !x.answered) co_return u.body_error;
  co_return r;
}

bool may_retry(exchange const& x, upstream_exchange const& u, errc why) noexcept {
  // The connection had been idle and died before a byte of an answer: the request was most likely never looked at.
  // It goes out again only where sending it twice does no harm, and all of it is still here.
  return why == errc::upstream_reset && u.lease.reused() && !u.head_started && !x.answered &&
         http::is_idempotent(x.head.verb) && u.body_whole && u.cluster.config().retries > 0;
}

// A login form is read to its end before a place or a connection is taken for it: the identity service has few, and
// slow senders must not hold them; and the guard wants to know whose it is.
net::task<result<std::span<char>>> read_form(exchange& x, upstream_exchange& u) {
  x.body.clear();
  if (x.client->body_finished()) co_return std::span<char>{};
  auto const began = steady::now();
  bool const told = co_await x.client->send_continue();
  if (!told) co_return errc::client_gone;
  while (!x.client->body_finished()) {
    auto const data = co_await x.client->read_body(u.body_watch, x.route->body_limit);
    if (!data) co_return data.error();
    x.body.append(data->data(), data->size());
  }
  x.client_time += steady::now() - began;
  co_return std::span<char>(x.body);
}

// The head that goes upstream says that chunks follow: all of it becomes one.
std::span<char> as_chunk(exchange& x) {
  http::chunk_frame frame;
  frame.wrap(x.body.size(), true);
  x.body.insert(0, frame.before()).append(frame.after());
  return x.body;
}

// `login`: for requests to the identity service; else null.
net::task<result<void>> proxy(exchange& x, login_visit* login) {
  upstream_exchange u(x);
  u.login = login;
  auto body = x.client->take_buffered_body();
  if (login != nullptr) {
    auto const form = co_await read_form(x, u);
    if (!form) co_return form.error();
    if (!form->empty()) body = *form;
    auto const entered = co_await login->enter({body.data(), body.size()});
    if (!entered) co_return entered;
    if (x.head.body == http::framing::chunked) body = as_chunk(x);
  }
  u.body_whole = x.client->body_finished();
  if (auto const total = x.route->config.total_timeout; total.count() > 0) {
    u.watch.limit(x.worker.wheel.now() + total);
    u.body_watch.limit(x.worker.wheel.now() + total);
  }

  u.lease = u.cluster.take_idle();
  for (bool retried = false;; retried = true) {
    auto r = co_await attempt(x, u, body);
    if (r) {
      x.worker.metrics.upstream_request(x.route->upstream, x.response.status, x.upstream_time);
      co_return r;
    }
    auto const why = to_errc(r.error());
    if (retried || !may_retry(x, u, why)) {
      if (about(why).from == origin::upstream) x.worker.metrics.upstream_failed(x.route->upstream, why);
      co_return r;
    }
    u.lease.end();
    x.upstream_buffer.release();
  }
}

net::task<result<void>> log_in(exchange& x) {
  login_visit visit(x);
  if (auto r = visit.check_address(); !r) co_return r;
  auto r = co_await proxy(x, &visit);
  co_return r;
}

}  // namespace

net::task<result<void>> forward(exchange& x) {
  result<void> r;
  switch (x.route->to) {
    case route_target::upstream:
      x.decision = obs::decision::forward;
      r = co_await proxy(x, nullptr);
      break;
    case route_target::login:
      x.decision = obs::decision::login;
      r = co_await log_in(x);
      break;
    case route_target::logout: r = co_await log_out(x); break;
    case route_target::respond: r = co_await respond(x); break;
    case route_target::sessions: r = co_await serve_sessions(x); break;
    case route_target::whoami: r = co_await tell_who(x); break;
    case route_target::jwks: r = co_await tell_keys(x); break;
    case route_target::proxy: r = co_await answer_proxy(x); break;
    case route_target::unclaimed: r = errc::no_route; break;
  }
  co_return r;
}

}  // namespace doorward::pipeline
