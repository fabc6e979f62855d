#include "doorward/redis/invalidation_feed.hpp"

#include <sys/un.h>

#include <algorithm>
#include <array>
#include "doorward/base/errc.hpp"
#include "doorward/net/async.hpp"
#include "doorward/net/endpoint.hpp"
#include "redis/feed_message.hpp"
#include "redis/handshake.hpp"
#include "redis/reconnect.hpp"
#include "redis/resp.hpp"

namespace doorward::redis {
namespace {

constexpr std::string_view invalidations = "__redis__:invalidate";

// One system call reads that much; a message beyond the other is none of Redis's.
constexpr std::size_t block = 16 * 1024;
constexpr std::size_t most_unread = 1024 * 1024;

constexpr milliseconds ping_every{1'000};

// A server that will not have it will not have it a second later either.
constexpr milliseconds refused_wait{10'000};

net::destination destination_of(config::endpoint const& e) {
  return e.type == config::endpoint::kind::unix_socket ? net::destination::unix_socket(e.path)
                                                       : net::destination::tcp(e.host, e.port);
}

}  // namespace

invalidation_feed::invalidation_feed(net::asio::io_context& context, deadline_wheel& wheel,
                                     config::redis_config const& config, fast_random& random, feed_listener& to,
                                     timing const& times)
    : context_(context),
      wheel_(wheel),
      config_(config),
      random_(random),
      to_(to),
      times_(times),
      pause_(context.get_executor()) {}

void invalidation_feed::start() {
  net::spawn(run());
}

void invalidation_feed::close() noexcept {
  closed_ = lost_ = true;
  // The worker's clock may stand still from now on, so no later wait may begin.
  if (watch_ != nullptr) watch_->interrupt();
  pause_.cancel();
}

void invalidation_feed::leave(std::string_view why) noexcept {
  refused_ = true;
  // Redis has refused nothing, so it is no such kind.
  lose(error_kind::reset, why);
}

net::task<> invalidation_feed::run() {
  reconnect waits(times_.first_wait, times_.longest_wait, times_.settled);
  while (!closed_) {
    auto const began = steady::now();
    lost_ = refused_ = awaiting_ = false;
    step_ = step::auth;
    filled_ = 0;
    co_await attend();
    if (closed_) break;
    auto const now = steady::now();
    if (step_ == step::ready) waits.ended_after(std::chrono::duration_cast<milliseconds>(now - began));
    auto const wait = waits.next(random_);
    pause_.expires_at(refused_ ? now + refused_wait : std::max(now, began + wait));
    co_await net::async<boost::system::error_code>([&](auto handler) { pause_.async_wait(std::move(handler)); });
  }
}

net::task<> invalidation_feed::attend() {
  // Anew each time: after a fail-over the name may stand for another machine.
  if (config_.server.path.size() >= sizeof(sockaddr_un::sun_path)) {
    lose(error_kind::refused, "not a usable address");
    co_return;
  }
  auto to = destination_of(config_.server);
  co_await to.resolve(context_);
  if (closed_) co_return;
  net::stream s(context_.get_executor());
  net::watch w(wheel_);
  stream_ = &s;
  watch_ = &w;
  auto const connected = co_await net::connect(context_, s, w, to, config_.connect_timeout);
  if (connected)
    co_await listen(s, w);
  else if (!closed_)
    lose(to_errc(connected.error()) == errc::upstream_connect_timeout ? error_kind::timeout : error_kind::refused,
         "no connection");
  stream_ = nullptr;
  watch_ = nullptr;
}

std::string invalidation_feed::greeting() {
  // Nobody else knows this name, so whoever reaches it reaches this connection.
  channel_ = "doorward:feed:" + new_session_id();
  std::string all, one;
  auto const say = [&](std::span<std::string_view const> argv) {
    format_command(one, argv);
    all += one;
  };
  auth_command const auth(config_);
  step_ = auth ? step::auth : step::id;
  if (auth) say(auth.argv());
  say(std::array<std::string_view, 2>{"CLIENT", "ID"});
  say(std::array<std::string_view, 3>{"SUBSCRIBE", channel_, invalidations});
  return all;
}

net::task<> invalidation_feed::listen(net::stream& s, net::watch& w) {
  due_in(config_.connect_timeout);
  auto const hello = greeting();
  auto part = net::as_iovec(hello);
  auto const written = co_await net::write_all(s, w, config_.connect_timeout, {&part, 1});
  if (written != net::io_status::ok && !closed_) lose(error_kind::reset, "the handshake could not be sent");
  while (!lost_) {
    (void)co_await s.readable(w, w.left(due_));
    // Also when the time is over: the thread itself may have been held up, and the answer wait in the socket.
    take();
    if (lost_ || due_ > wheel_.now()) continue;
    if (awaiting_ || step_ != step::ready)
      lose(error_kind::timeout, "no answer in time");
    else
      ask_whether_there(s);
  }
}

void invalidation_feed::ask_whether_there(net::stream& s) {
  static constexpr std::string_view ping = "*1\r\n$4\r\nPING\r\n";
  // Nothing else is ever sent, so there is room for it, or nobody takes anything at the other end.
  auto const sent = s.try_write(ping);
  if (sent.status != net::io_status::ok || sent.bytes != ping.size())
    return lose(error_kind::reset, "it could not be asked whether it is there");
  awaiting_ = true;
  due_in(config_.command_timeout);
}

void invalidation_feed::take() noexcept {
  while (stream_ != nullptr && !lost_) {
    if (buffer_.size() - filled_ < block) buffer_.resize(filled_ + block);
    auto const room = std::span(buffer_).subspan(filled_);
    auto const r = stream_->try_read(room);
    if (r.status == net::io_status::again) return;
    if (r.status != net::io_status::ok) return lose(error_kind::reset, "the connection has ended");
    filled_ += r.bytes;
    hear();
    if (r.bytes < room.size()) return;  // what comes from now on comes after
  }
}

void invalidation_feed::hear() {
  feed_message m;
  std::string_view rest(buffer_.data(), filled_);
  while (!rest.empty() && !lost_) {
    std::size_t used = 0;
    auto const p = parse_feed_message(rest, m, used);
    if (p == feed_parsed::part) break;
    if (p == feed_parsed::broken) return lose(error_kind::protocol, "something that is no message");
    hear(m);
    rest.remove_prefix(used);
  }
  if (rest.size() > most_unread) return lose(error_kind::protocol, "a message beyond the limits of size");
  std::copy(rest.begin(), rest.end(), buffer_.begin());
  filled_ = rest.size();
}

void invalidation_feed::hear(feed_message const& m) {
  if (m.type == '-') return refuse(m.text);
  auto const& words = m.texts;
  auto const is = [&](std::string_view what, std::string_view about) {
    return m.type == '*' && words.size() >= 2 && words[0] == what && words[1] == about;
  };
  switch (step_) {
    case step::auth:
      if (m.type != '+') break;
      step_ = step::id;
      return;
    case step::id:
      if (m.type != ':' || m.integer <= 0) break;
      client_ = m.integer;
      step_ = step::channel;
      return;
    case step::channel:
      if (!is("subscribe", channel_)) break;
      step_ = step::invalidations;
      return;
    case step::invalidations:
      if (!is("subscribe", invalidations)) break;
      return ready();
    case step::ready:
      if (m.type != '*' || words.empty()) break;
      if (words[0] == "pong") {
        awaiting_ = false;
        return due_in(ping_every);
      }
      if (is("message", channel_)) return;
      if (!is("message", invalidations)) break;
      // Nothing, where keys would stand: all of them. An empty list is not known to come, and says no less.
      if (m.has_nil || words.size() == 2) return to_.on_flushed();
      for (auto const key : std::span(words).subspan(2))
        to_.on_invalidated(key);
      return;
  }
  lose(error_kind::protocol, "something that was not to be expected");
}

void invalidation_feed::refuse(std::string_view text) {
  bool const is_auth = step_ == step::auth;
  auto const verb = is_auth ? "AUTH" : step_ == step::id ? "CLIENT ID" : "SUBSCRIBE";
  auto const kind = is_auth ? classify_auth(text) : classify(text);
  refused_ = kind == error_kind::auth || kind == error_kind::permission || kind == error_kind::other;
  lose(kind, refusal(verb, text, config_.password.reveal()));
}

void invalidation_feed::ready() {
  step_ = step::ready;
  due_in(ping_every);
  to_.on_ready(client_, channel_);
}

void invalidation_feed::lose(error_kind why, std::string_view detail) noexcept {
  if (lost_) return;
  lost_ = true;
  // Whoever waits for it wakes, sees that it is over, and closes it.
  if (stream_ != nullptr) stream_->shutdown();
  to_.on_lost(why, detail);
}

void invalidation_feed::due_in(milliseconds time) noexcept {
  due_ = wheel_.now() + time;
}

}  // namespace doorward::redis
