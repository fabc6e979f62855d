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

void lease::keep(bool doubtful) noexcept {
  if (!connection_) return;
  connection_->doubtful_ = doubtful;
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
    : owner_(owner), where_(destination_of(where)), most_(most) {}

endpoint_pool::~endpoint_pool() { idle_.clear_and_dispose(std::default_delete<connection>()); }

std::unique_ptr<connection> endpoint_pool::take_idle(bool check) {
  while (!idle_.empty()) {
    std::unique_ptr<connection> c(&idle_.front());
    idle_.pop_front();
    --idle_count_;
    busy_.push_back(*c);
    // Data that nobody asked for is as bad as an end: it would be taken for the next answer.
    if (!(check || c->doubtful_) || c->stream.peek() == net::io_status::again) return c;
    c.reset();
    closed();
  }
  return nullptr;
}

std::unique_ptr<connection> endpoint_pool::open_new(net::executor e) {
  auto c = std::make_unique<connection>(*this, e);
  ++open_;
  busy_.push_back(*c);
  return c;
}

void endpoint_pool::give_back(std::unique_ptr<connection> c) noexcept {
  if (owner_.retired_) {
    c.reset();
    closed();
    return;
  }
  c->idle_since_ = owner_.wheel_.now();
  c->unlink();
  idle_.push_front(*c.release());
  ++idle_count_;
  owner_.place_freed();
}

void endpoint_pool::closed() noexcept {
  --open_;
  owner_.place_freed();
}

// --- cluster

cluster::cluster(net::asio::io_context& context, net::turn_queue& turns, deadline_wheel& wheel,
                 config::upstream_config const& c, unsigned workers)
    : context_(context), turns_(turns), wheel_(wheel), config_(c) {
  auto const share = (c.connections + workers - 1) / workers;
  for (auto const& e : c.endpoints) endpoints_.push_back(std::make_unique<endpoint_pool>(*this, e, share));
}

lease cluster::take_idle(bool careful) {
  // Only the endpoint whose turn it is; connect() begins with the same one when it has none.
  auto c = endpoints_[turn_ % endpoints_.size()]->take_idle(careful);
  if (!c) return {};
  ++turn_;
  return {std::move(c), true};
}

endpoint_pool* cluster::next_with_place() noexcept {
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    auto& pool = *endpoints_[turn_++ % endpoints_.size()];
    if (pool.open_ < pool.most_) return &pool;
  }
  return nullptr;
}

void cluster::place_waiter::wake(bool got_place) noexcept {
  if (turn_node::is_linked()) return;  // woken already, and about to run
  got_place_ = got_place;
  detail::hook::unlink();
  turns_.push(*this);
}

void cluster::place_freed() noexcept {
  if (waiting_.empty()) return;
  waiting_.front().wake(true);
}

net::task<bool> cluster::wait_for_place() {
  place_waiter waiter(turns_);
  waiting_.push_back(waiter);
  wheel_.arm(waiter, wheel_.now() + config_.timeouts.connect);
  bool const got = co_await waiter;
  wheel_.disarm(waiter);
  co_return got;
}

net::task<result<lease>> cluster::connect(net::watch& w) {
  errc failure = errc::upstream_saturated;
  for (unsigned attempt = 0; attempt <= config_.retries; ++attempt) {
    auto* pool = next_with_place();
    while (pool == nullptr) {
      bool const got = co_await wait_for_place();
      if (!got) co_return errc::upstream_saturated;
      // What was freed may be a connection that went back to its pool.
      for (auto& e : endpoints_)
        if (auto idle = e->take_idle(true)) co_return lease(std::move(idle), true);
      pool = next_with_place();
    }
    lease fresh(pool->open_new(context_.get_executor()), false);
    auto const connected = co_await net::connect(context_, fresh.stream(), w, pool->where(), config_.timeouts.connect);
    if (connected) co_return std::move(fresh);
    failure = static_cast<errc>(connected.error().value());
    // The same endpoint again would most likely say the same.
    if (endpoints_.size() == 1) break;
  }
  co_return failure;
}

net::task<> cluster::resolve() {
  for (auto& pool : endpoints_) co_await pool->where_.resolve(context_);
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
    while (auto c = pool->take_idle(false)) {
      c.reset();
      pool->closed();
    }
  }
}

void cluster::cut() noexcept {
  for (auto& pool : endpoints_)
    for (auto& c : pool->busy_) c.stream.shutdown();
  while (!waiting_.empty()) waiting_.front().wake(false);
}

std::size_t cluster::idle() const noexcept {
  std::size_t n = 0;
  for (auto const& pool : endpoints_) n += pool->idle_count_;
  return n;
}

std::size_t cluster::open() const noexcept {
  std::size_t n = 0;
  for (auto const& pool : endpoints_) n += pool->open_;
  return n;
}

}  // namespace doorward::upstream
