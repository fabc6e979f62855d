#include "doorward/upstream/cluster.hpp"

#include <algorithm>
#include <utility>

#include "doorward/base/errc.hpp"

namespace doorward::upstream {
namespace {

net::destination destination_of(config::endpoint const& e) {
  return e.type == config::endpoint::kind::unix_socket ? net::destination::unix_socket(e.path)
                                                       : net::destination::tcp(e.host, e.port);
}

}  // namespace

// --- lease

lease& lease::operator=(lease&& other) noexcept {
  if (this != &other) {
    end();
    connection_ = std::move(other.connection_);
    reused_ = other.reused_;
  }
  return *this;
}

void lease::keep() noexcept {
  if (!connection_) return;
  auto& home = *connection_->home_;
  home.give_back(std::move(connection_));
}

void lease::end() noexcept {
  if (!connection_) return;
  auto& home = *connection_->home_;
  connection_.reset();
  home.closed();
}

// --- endpoint_pool

endpoint_pool::endpoint_pool(cluster& owner, config::endpoint const& where, std::size_t most)
    : owner_(owner), where_(destination_of(where)), most_(most) {
  auto const& name = owner.config_.tls.server_name;
  tls_ = where.tls;
  tls_name_ = name.empty() ? where.host : name;
}

endpoint_pool::~endpoint_pool() {
  idle_.clear_and_dispose(std::default_delete<connection>());
}

std::unique_ptr<connection> endpoint_pool::take_idle() {
  while (!idle_.empty()) {
    std::unique_ptr<connection> c(&idle_.front());
    idle_.pop_front();
    --idle_count_;
    busy_.push_back(*c);
    // Data that nobody asked for is as bad as an end: it would be taken for the next answer, and every answer after it
    // would go to the wrong person. One system call a request is what that costs.
    if (c->stream.peek() == net::io_status::again) return c;
    c.reset();
    closed();
  }
  return nullptr;
}

void endpoint_pool::give_back(std::unique_ptr<connection> c) noexcept {
  if (owner_.retired_ || (!owner_.waiting_.empty() && c->stream.peek() != net::io_status::again)) {
    c.reset();
    closed();
    return;
  }
  // Whoever waits comes before whoever asks next; else a busy upstream would starve the unlucky.
  if (!owner_.waiting_.empty()) {
    owner_.waiting_.front().wake(std::move(c), nullptr);
    return;
  }
  c->idle_since_ = owner_.wheel_.now();
  c->unlink();
  idle_.push_front(*c.release());
  ++idle_count_;
}

void endpoint_pool::closed() noexcept {
  // The place goes to the one who has waited longest, without being free in between.
  if (!owner_.waiting_.empty() && !owner_.retired_) {
    owner_.waiting_.front().wake(nullptr, this);
    return;
  }
  --open_;
}

// --- cluster

cluster::cluster(net::asio::io_context& context, net::turn_queue& turns, deadline_wheel& wheel,
                 config::upstream_config const& c, unsigned workers)
    : context_(context), turns_(turns), wheel_(wheel), config_(c) {
  auto const share = (c.connections + workers - 1) / workers;
  for (auto const& e : c.endpoints)
    endpoints_.push_back(std::make_unique<endpoint_pool>(*this, e, share));
}

bool cluster::use_tls(std::string& error) {
  if (std::ranges::none_of(config_.endpoints, &config::endpoint::tls)) return true;
  auto const& c = config_.tls;
  tls_ = net::tls_client::make({c.ca.content.reveal(), c.cert.content.reveal(), c.key.content}, error);
  return tls_ != nullptr;
}

lease cluster::take_idle() {
  // Only the endpoint whose turn it is; connect() begins with the same one when it has none.
  auto c = endpoints_[next_endpoint_ % endpoints_.size()]->take_idle();
  if (!c) return {};
  ++next_endpoint_;
  return {std::move(c), true};
}

endpoint_pool* cluster::take_place() noexcept {
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    auto& pool = *endpoints_[next_endpoint_++ % endpoints_.size()];
    if (pool.open_ >= pool.most_) continue;
    ++pool.open_;
    return &pool;
  }
  return nullptr;
}

void cluster::place_waiter::wake(std::unique_ptr<connection> c, endpoint_pool* free) noexcept {
  if (turn_node::is_linked()) return;  // its time ran out in the turn in which it was woken: what it got is its own
  handed = std::move(c);
  pool = free;
  detail::hook::unlink();
  turns_.push(*this);
}

// The place in `pool` has been counted as open.
net::task<result<lease>> cluster::open_in(endpoint_pool& pool, net::watch& w) {
  auto c = std::make_unique<connection>(pool, context_.get_executor());
  pool.busy_.push_back(*c);
  lease fresh(std::move(c), false);
  auto const until = w.after(config_.timeouts.connect);  // for both
  auto const connected = co_await net::connect(context_, fresh.stream(), w, pool.where(), config_.timeouts.connect);
  if (!connected) co_return connected.error();
  if (pool.tls_) {
    auto const secured = co_await secure(fresh.stream(), w, until, pool.tls_name_);
    if (!secured) co_return secured.error();
  }
  co_return std::move(fresh);
}

net::task<result<void>> cluster::secure(net::stream& s, net::watch& w, time_point until, std::string const& host) {
  if (!tls_) co_return errc::upstream_tls;  // use_tls() was not called: nothing goes out in the clear
  auto channel = tls_->connect(s.native().native_handle(), host);
  if (!channel) co_return errc::upstream_tls;
  s.start_tls(std::move(channel));
  auto const status = co_await net::handshake(s, w, w.left(until));
  if (status == net::io_status::ok) co_return result<void>{};
  bool const late = status == net::io_status::again;
  limiter_.write(wheel_.now(), obs::log::level::error, "upstream_tls_failed",
                 {{"upstream", config_.name},
                  {"name", host},
                  {"reason", late ? "the handshake was not done in time" : s.tls()->failure()}});
  co_return late ? errc::upstream_connect_timeout : errc::upstream_tls;
}

net::task<result<lease>> cluster::connect(net::watch& w) {
  error_code failure = errc::upstream_saturated;
  for (unsigned attempt = 0; attempt <= config_.retries && !cut_; ++attempt) {
    auto* pool = waiting_.empty() ? take_place() : nullptr;
    if (pool == nullptr) {
      for (auto& e : endpoints_)
        if (auto idle = e->take_idle()) co_return lease(std::move(idle), true);
      place_waiter waiter(turns_);
      waiting_.push_back(waiter);
      wheel_.arm(waiter, wheel_.now() + config_.timeouts.connect);
      co_await waiter;
      wheel_.disarm(waiter);
      // What was freed may be a connection: one that was in use a moment ago.
      if (waiter.handed) co_return lease(std::move(waiter.handed), true);
      pool = waiter.pool;
      if (pool == nullptr) co_return errc::upstream_saturated;
    }
    auto opened = co_await open_in(*pool, w);
    if (cut_) co_return errc::upstream_saturated;
    if (opened) co_return std::move(opened);
    failure = opened.error();
    // The same endpoint again would most likely say the same.
    if (endpoints_.size() == 1) break;
  }
  co_return failure;
}

net::task<> cluster::resolve() {
  for (auto& pool : endpoints_)
    co_await pool->where_.resolve(context_);
}

void cluster::sweep(time_point now) noexcept {
  for (auto& pool : endpoints_) {
    for (auto it = pool->idle_.begin(); it != pool->idle_.end();) {
      auto& c = *it++;
      if (now - c.idle_since_ < config_.timeouts.idle && c.stream.peek() == net::io_status::again) continue;
      c.unlink();
      delete &c;  // owned by the list
      --pool->idle_count_;
      pool->closed();
    }
  }
}

void cluster::retire() noexcept {
  retired_ = true;
  for (auto& pool : endpoints_) {
    while (auto c = pool->take_idle()) {
      c.reset();
      pool->closed();
    }
  }
}

void cluster::cut() noexcept {
  cut_ = true;
  for (auto& pool : endpoints_)
    for (auto& c : pool->busy_)
      c.stream.shutdown();
  while (!waiting_.empty())
    waiting_.front().wake(nullptr, nullptr);
}

std::size_t cluster::idle() const noexcept {
  std::size_t n = 0;
  for (auto const& pool : endpoints_)
    n += pool->idle_count_;
  return n;
}

std::size_t cluster::open() const noexcept {
  std::size_t n = 0;
  for (auto const& pool : endpoints_)
    n += pool->open_;
  return n;
}

}  // namespace doorward::upstream
