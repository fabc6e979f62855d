#include "doorward/net/turn_queue.hpp"

#include <boost/asio/post.hpp>

namespace doorward::net {

void turn_queue::push(turn_node& node) {
  if (node.is_linked()) return;
  // The handler is posted behind what is ready; later nodes of the same turn ride on it.
  if (waiting_.empty()) asio::post(context_, [this] { drain(); });
  waiting_.push_back(node);
}

void turn_queue::drain() noexcept {
  list now;
  now.swap(waiting_);
  while (!now.empty()) {
    auto& node = now.front();
    now.pop_front();
    node.on_turn();
  }
}

}  // namespace doorward::net
