#pragma once

#include "doorward/pipeline/process.hpp"
#include "exchange_fixture.hpp"
#include "temporary_folder.hpp"

namespace doorward::pipeline {

/// A client, doorward and an upstream on a Unix socket, the test being the first and the last of them.
struct proxy_fixture {
  explicit proxy_fixture(std::string const& upstream_options = "", std::string const& route_options = "",
                         std::string const& more = "", std::string const& identity_options = "")
      : b(more + "routes: [{ path: /**, upstream: app, auth: none" + route_options + " }]\n",
          "redis: { url: \"redis://127.0.0.1:6379\" }\nidentity: { upstream: app" + identity_options +
              " }\nupstreams: { app: { endpoints: "
              "[\"unix:" +
              folder.file("app") + "\"]" + upstream_options + " } }\n") {}
  ~proxy_fixture() {
    // Whoever still waits comes to its end.
    b.connection.stream.shutdown();
    b.worker.cluster(0).cut();
    b.watch.interrupt();
    b.pass(100ms);
  }
  proxy_fixture(proxy_fixture const&) = delete;
  proxy_fixture& operator=(proxy_fixture const&) = delete;

  test::temporary_folder folder;
  test::descriptor listener = test::unix_listener(folder.file("app"));
  exchange_fixture b;
  exchange& x = b.x;
  test::descriptor& client = b.client;
  test::descriptor upstream;  ///< the connection accepted last
  bool done = false;

  upstream::cluster& cluster() { return b.worker.cluster(0); }

  /// Begins to serve a request: its head and what of its body has been read with it.
  void request(std::string_view bytes) {
    done = false;
    b.begin(bytes);
    net::spawn([](proxy_fixture& p) -> net::task<> {
      co_await process(p.x);
      p.done = true;
    }(*this));
    settle();
  }
  void settle() { test::settle(b.worker.context); }

  /// What the upstream has got: on a new connection, if there is one.
  std::string forwarded() {
    if (auto c = test::accept(listener)) upstream = std::move(c);
    return upstream ? upstream.read() : std::string{};
  }
  /// The upstream says something.
  void answer(std::string_view bytes) {
    REQUIRE(upstream);
    REQUIRE(upstream.write(bytes));
    settle();
  }
  void upstream_closes() {
    upstream.close();
    settle();
  }

  /// What the client has got, without the id of the request and the date.
  std::string received() {
    auto text = client.read();
    for (auto const& line : {"X-Request-Id: " + std::string(x.request_id) + "\r\n", "Date: " + x.worker.date + "\r\n"})
      if (auto const at = text.find(line); at != std::string::npos) text.erase(at, line.size());
    return text;
  }
  [[nodiscard]] std::string refused() const {
    return x.refused ? std::string(about(*x.refused).reason) : std::string("ok");
  }
};

/// The body of a message as it came.
inline std::string body_of(std::string const& message) {
  auto const end = message.find("\r\n\r\n");
  return end == std::string::npos ? message : message.substr(end + 4);
}

inline std::string const get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

}  // namespace doorward::pipeline
