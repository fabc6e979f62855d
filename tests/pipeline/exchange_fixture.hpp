#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "doorward/pipeline/exchange.hpp"
#include "event_loop.hpp"
#include "model.hpp"
#include "pipeline/stages.hpp"
#include "stream_pair.hpp"

namespace doorward::pipeline {

using namespace std::chrono_literals;

inline constexpr std::string_view an_id = "0123456789abcdefghij";  ///< could be a session's

/// The name of what a stage came to: "ok", or the errc's reason.
inline std::string outcome(result<void> const& r) {
  return r ? "ok" : std::string(about(to_errc(r.error())).reason);
}

/// A request head: the request line, the fields, the empty line.
inline std::string head_of(std::string_view line, std::vector<std::string> const& fields) {
  auto head = std::string(line) + "\r\n";
  for (auto const& f : fields)
    head += f + "\r\n";
  return head + "\r\n";
}

/// One client's connection of a worker that does not run, and the exchange on it. Each stage is called by hand.
struct exchange_fixture {
  explicit exchange_fixture(std::string const& more = "routes: [{ path: /**, upstream: app }]\n",
                            std::string const& first = test::smallest)
      : model(test::model_of(first + more)),
        shared(model),
        worker(0, 1, model, shared, nowhere, obs::access_style::json) {
    from.text = "192.0.2.1";
    from.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
    worker.date = "Wed, 01 May 2024 12:00:00 GMT";
  }
  ~exchange_fixture() {
    watch.interrupt();  // whoever still waits comes to its end
    test::settle(worker.context);
  }

  obs::log_writer nowhere{-1};
  config::model model;
  runtime::shared_state shared;
  runtime::worker worker;
  test::stream_pair connection{worker.context};
  test::descriptor& client = connection.peer;
  net::read_buffer buffer{worker.buffers};
  net::watch watch{worker.wheel};
  peer from;
  downstream down{worker, connection.stream, buffer, watch, from};
  exchange x{worker};

  /// Bytes that the connection has read.
  void put(std::string_view bytes) {
    while (buffer.room().size() < bytes.size())
      buffer.grow();
    std::ranges::copy(bytes, buffer.room().begin());
    buffer.commit(bytes.size());
  }
  /// Begins the exchange of a request whose head, and maybe more, has been read.
  void begin(std::string_view bytes) {
    buffer.rewind(0);
    put(bytes);
    std::size_t from_start = 0;
    auto const end = http::find_head_end(buffer.data(), from_start, worker.view.limits);
    REQUIRE(end);
    REQUIRE(*end > 0);
    auto const head = buffer.data().substr(0, *end);
    buffer.consume(*end);
    x.begin(down, head);
  }

  // The stages up to the one named; the first refusal ends them.
  result<void> received(std::string_view bytes) {
    begin(bytes);
    return receive(x);
  }
  result<void> sanitized(std::string_view bytes) {
    if (auto r = received(bytes); !r) return r;
    return sanitize(x);
  }
  result<void> matched(std::string_view bytes) {
    if (auto r = sanitized(bytes); !r) return r;
    return match(x);
  }
  /// As if authenticate had found a session with these fields.
  void log_in(std::vector<std::pair<std::string, std::string>> const& fields) {
    x.session_id = an_id;
    for (auto const& [name, value] : fields) {
      CAPTURE(name);
      REQUIRE(x.session.set(worker.view.fields.find(name), value));
    }
  }

  /// The worker's clock goes on, and what comes of that happens.
  void pass(milliseconds by) {
    auto now = worker.wheel.now();
    for (auto const end = now + by; now < end;) {
      now = std::min(end, now + deadline_wheel::tick);
      worker.wheel.advance(now);
      test::settle(worker.context);
    }
  }
};

/// Starts `t` and keeps what it ends with.
template <class T>
struct running {
  std::optional<T> ended;
  explicit running(net::task<T> t) {
    net::spawn([](net::task<T> inner, std::optional<T>& into) -> net::task<> {
      into.emplace(co_await std::move(inner));
    }(std::move(t), ended));
  }
  running(running const&) = delete;
  running& operator=(running const&) = delete;
};

}  // namespace doorward::pipeline
