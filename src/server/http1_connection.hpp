#pragma once

#include <memory>

#include "doorward/pipeline/downstream.hpp"
#include "doorward/pipeline/exchange.hpp"
#include "doorward/server/listener.hpp"
#include "server/place.hpp"

namespace doorward::server {

/// A client's HTTP/1.1 connection: reads heads, has each request processed, keeps what came early for the next. It is a
/// coroutine; this object lives in its frame. While it waits for a request it holds neither buffer nor exchange.
class http1_connection final : public live_connection {
public:
  /// Serves `s` to its end. The listener must outlive the connection. `proxied`: it begins with a PROXY header.
  [[nodiscard]] static net::task<> serve(listener& l, net::socket s, place taken, pipeline::peer from, bool proxied);

  http1_connection(http1_connection const&) = delete;
  http1_connection& operator=(http1_connection const&) = delete;

  void drain() noexcept override;
  void cut() noexcept override { stream_.shutdown(); }

private:
  http1_connection(listener& l, net::socket s, place taken, pipeline::peer from);
  ~http1_connection();

  [[nodiscard]] net::task<> run();
  [[nodiscard]] net::task<bool> open(bool proxied);
  [[nodiscard]] net::task<bool> read_proxy_header();
  [[nodiscard]] net::task<bool> await_first_byte();
  [[nodiscard]] net::task<bool> secure();
  [[nodiscard]] net::task<bool> await_request();
  [[nodiscard]] net::task<result<std::size_t>> read_head();
  [[nodiscard]] net::task<bool> serve_one();
  [[nodiscard]] net::task<> linger();
  void hurry() noexcept;

  listener& listener_;
  runtime::worker& worker_;
  place place_;
  net::stream stream_;
  net::watch watch_;
  net::read_buffer buffer_;
  pipeline::peer from_;
  std::unique_ptr<pipeline::exchange> exchange_;
  bool opening_ = false;  ///< what comes before the first request is under way
  bool served_ = false;   ///< a request has come on it
  bool idle_ = true;      ///< no request is being read or served
  bool unread_ = false;   ///< bytes may be left that were never read
};

}  // namespace doorward::server
