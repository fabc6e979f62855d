#include "doorward/server/listener.hpp"

#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "descriptor.hpp"
#include "event_loop.hpp"
#include "model.hpp"
#include "temporary_folder.hpp"

using namespace doorward;
using namespace doorward::test;

namespace {

// A worker with a listener on each unix socket that its configuration names, `{}` standing for a folder.
struct front {
  explicit front(std::string configuration) {
    obs::log::init(obs::log::level::off, obs::log::format::json);
    for (auto at = configuration.find("{}"); at != std::string::npos; at = configuration.find("{}"))
      configuration.replace(at, 2, folder.file(""));
    model = model_of(smallest + configuration + "routes: [{ path: /**, respond: 204, auth: none }]\n");
    shared.emplace(model);
    worker.emplace(0U, 1U, model, *shared, nowhere, obs::access_style::json);
    worker->date = "Wed, 01 May 2024 12:00:00 GMT";
    listener.emplace(*worker);
    for (std::size_t i = 0; i < model.server.listen.size(); ++i) {
      auto socket = server::bound_socket::bind(model.server.listen[i].address);
      REQUIRE(socket.has_value());
      listener->accept_on(*socket->clone(), i);
      sockets.push_back(std::move(*socket));
    }
  }
  ~front() {
    listener->drain();
    listener->cut();
    settle(worker->context);
  }

  descriptor connect(std::string const& name) {
    auto d = unix_connect(folder.file(name));
    REQUIRE(d);
    settle(worker->context);
    return d;
  }
  bool serves(descriptor& d) {
    REQUIRE(d.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    settle(worker->context);
    return d.read().starts_with("HTTP/1.1 204 ");
  }

  temporary_folder folder;
  obs::log_writer nowhere{-1};
  config::model model;
  std::vector<server::bound_socket> sockets;
  std::optional<runtime::shared_state> shared;
  std::optional<runtime::worker> worker;
  std::optional<server::listener> listener;
};

}  // namespace

TEST_CASE("one connection more than limits.connections: told so, and closed") {
  front f("server: { listen: 'unix:{}http', limits: { connections: 1 } }\n");
  auto first = f.connect("http");
  auto second = f.connect("http");

  auto const got = second.read();
  CAPTURE(got);
  CHECK(got.starts_with("HTTP/1.1 503 "));
  auto const id_at = got.find("X-Request-Id: ");
  REQUIRE(id_at != std::string::npos);
  auto const id = got.substr(id_at + 14, 32);
  CHECK(got.find(R"("code":"overloaded","request_id":")" + id + "\"}") != std::string::npos);
  CHECK(got.find("Retry-After: 1\r\n") != std::string::npos);
  CHECK(got.find("Connection: close\r\n") != std::string::npos);
  CHECK(second.state() == "end");
  CHECK(f.worker->metrics.route(obs::worker_metrics::no_route).requests.size() == 1);
  CHECK(f.serves(first));
}

TEST_CASE("one connection more than its listener takes: refused there, and nowhere else") {
  front f("server: { listen: [{ address: 'unix:{}a', connections: 1 }, 'unix:{}b'], limits: { connections: 3 } }\n");
  {
    auto first = f.connect("a");
    CHECK(f.connect("a").read().starts_with("HTTP/1.1 503 "));
    auto second = f.connect("b");
    auto third = f.connect("b");
    CHECK(f.serves(first));
    CHECK(f.serves(second));
    CHECK(f.serves(third));
    CHECK(f.connect("b").read().starts_with("HTTP/1.1 503 "));
  }
  settle(f.worker->context);
  CHECK(f.shared->connections == 0);
  CHECK(f.shared->per_listener[0] == 0);
  CHECK(f.shared->per_listener[1] == 0);
  auto again = f.connect("a");
  CHECK(f.serves(again));
}
