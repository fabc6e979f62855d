#pragma once

#include <boost/intrusive/slist.hpp>
#include <coroutine>

#include "doorward/net/executor.hpp"

namespace doorward::net {

/// Something to be run once, at the end of the ready queue. Lives in the frame of whoever waits, and must outlive its
/// time in the queue.
class turn_node : public boost::intrusive::slist_base_hook<boost::intrusive::link_mode<boost::intrusive::safe_link>> {
public:
  turn_node() = default;
  turn_node(turn_node const&) = delete;
  turn_node& operator=(turn_node const&) = delete;
  virtual void on_turn() noexcept = 0;

protected:
  ~turn_node() = default;
};

/// "After everything that is ready now." One posted handler serves all nodes pushed meanwhile, so a turn allocates
/// nothing and a batch of connections shares one write to Redis. One a worker; not thread-safe.
///
/// A node must not be destroyed while it is queued. Its own on_turn() may destroy it: it has left the queue by then.
class turn_queue {
public:
  explicit turn_queue(asio::io_context& context) noexcept : context_(context) {}
  turn_queue(turn_queue const&) = delete;
  turn_queue& operator=(turn_queue const&) = delete;

  /// Queues `node`; a node already queued stays where it is.
  void push(turn_node& node);

  /// `co_await turns.next()`: goes on after everything that is ready now.
  auto next() noexcept {
    struct awaiter final : turn_node {
      turn_queue& queue;
      std::coroutine_handle<> waiter;
      explicit awaiter(turn_queue& q) noexcept : queue(q) {}
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> h) {
        waiter = h;
        queue.push(*this);
      }
      void await_resume() const noexcept {}
      void on_turn() noexcept override { waiter.resume(); }
    };
    return awaiter{*this};
  }

  [[nodiscard]] asio::io_context& context() const noexcept { return context_; }

private:
  using list = boost::intrusive::slist<turn_node, boost::intrusive::cache_last<true>,
                                       boost::intrusive::constant_time_size<false>>;
  void drain() noexcept;

  asio::io_context& context_;
  list waiting_;
};

}  // namespace doorward::net
