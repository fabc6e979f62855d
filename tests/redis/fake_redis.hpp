#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "doorward/net/task.hpp"
#include "doorward/redis/client.hpp"
#include "event_loop.hpp"
#include "temporary_folder.hpp"

namespace doorward::test {

namespace asio = boost::asio;

/// Something that speaks Redis's protocol on a unix socket and answers as the test says, on the test's own io_context.
class fake_redis {
public:
  using socket = asio::local::stream_protocol::socket;
  using command = std::vector<std::string>;

  struct connection : std::enable_shared_from_this<connection> {
    explicit connection(socket s) : stream(std::move(s)) {}
    void send(std::string_view raw) {
      boost::system::error_code ignored;
      asio::write(stream, asio::buffer(raw), ignored);
    }
    void cut() {
      boost::system::error_code ignored;
      stream.close(ignored);
    }
    socket stream;
    std::string in;
    std::size_t index = 0;  ///< 0 for the first connection
    char piece[4096]{};
  };

  /// Called for each command that nothing below has answered.
  std::function<void(connection&, command const&)> answer = [](connection& c, command const&) { c.send("+OK\r\n"); };
  bool greets = true;         ///< answers the handshake
  bool mute = false;          ///< reads, and answers nothing at all
  std::vector<command> seen;  ///< everything, handshakes included
  std::vector<std::shared_ptr<connection>> connections;
  std::size_t reads = 0;  ///< pieces the commands came in

  explicit fake_redis(asio::io_context& context, std::string path)
      : path_(std::move(path)), acceptor_(context, asio::local::stream_protocol::endpoint{path_}) {
    accept();
  }

  [[nodiscard]] std::string const& path() const { return path_; }
  [[nodiscard]] connection& last() { return *connections.back(); }

  /// Refuses connections from now on.
  void stop() {
    acceptor_.close();
    for (auto const& c : connections)
      c->cut();
    std::filesystem::remove(path_);
  }
  void restart(asio::io_context& context) {
    acceptor_ = asio::local::stream_protocol::acceptor{context, asio::local::stream_protocol::endpoint{path_}};
    accept();
  }

private:
  void accept() {
    acceptor_.async_accept([this](boost::system::error_code ec, socket s) {
      if (ec) return;
      auto c = std::make_shared<connection>(std::move(s));
      c->index = connections.size();
      connections.push_back(c);
      read(c);
      accept();
    });
  }

  void read(std::shared_ptr<connection> const& c) {
    c->stream.async_read_some(asio::buffer(c->piece), [this, c](boost::system::error_code ec, std::size_t n) {
      if (ec) return;
      ++reads;
      c->in.append(c->piece, n);
      command argv;
      while (c->stream.is_open() && next(c->in, argv))
        take(*c, argv);
      if (c->stream.is_open()) read(c);
    });
  }

  void take(connection& c, command const& argv) {
    seen.push_back(argv);
    if (mute) return;
    if (greets && (argv[0] == "PING" || argv[0] == "AUTH" || argv[0] == "SELECT"))
      c.send(argv[0] == "PING" ? "+PONG\r\n" : "+OK\r\n");
    else
      answer(c, argv);
  }

  static bool number(std::string_view in, std::size_t& at, char type, std::size_t& value) {
    auto const end = in.find("\r\n", at);
    if (end == std::string_view::npos || in[at] != type) return false;
    std::from_chars(in.data() + at + 1, in.data() + end, value);
    at = end + 2;
    return true;
  }
  static bool next(std::string& in, command& argv) {
    argv.clear();
    std::size_t at = 0, count = 0, length = 0;
    if (in.empty() || !number(in, at, '*', count)) return false;
    for (; count != 0; --count) {
      if (at >= in.size() || !number(in, at, '$', length) || in.size() < at + length + 2) return false;
      argv.emplace_back(in, at, length);
      at += length + 2;
    }
    in.erase(0, at);
    return true;
  }

  std::string path_;
  asio::local::stream_protocol::acceptor acceptor_;
};

/// What a command came to.
struct called {
  bool done = false;
  error_code ec;
  int replies = 0;
  redis::reply::kind type{};
  bool malformed = false;
  long long integer = 0;
  std::string text;
  std::vector<std::string> items;
};

struct called_sink final : redis::sink {
  explicit called_sink(called& c) : into(c) {}
  void on_reply(redis::reply const& r) noexcept override {
    ++into.replies;
    into.type = r.type;
    into.malformed = r.malformed;
    into.integer = r.integer;
    into.text = r.text;
    into.items.assign(r.items.begin(), r.items.end());
  }
  called& into;
};

inline net::task<> call(redis::client& client, std::vector<std::string> words, called& into) {
  std::vector<std::string_view> const argv(words.begin(), words.end());
  called_sink sink{into};
  into.ec = co_await client.command(argv, sink);
  into.done = true;
}

inline void run_for(asio::io_context& context, milliseconds time) {
  (void)run_until(
      context, [] { return false; }, time);
}

}  // namespace doorward::test
