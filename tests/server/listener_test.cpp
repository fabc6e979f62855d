#include "doorward/server/listener.hpp"

#include <string>

#include "catch.hpp"
#include "descriptor.hpp"
#include "event_loop.hpp"
#include "model.hpp"
#include "temporary_folder.hpp"

using namespace doorward;
using namespace doorward::test;

TEST_CASE("one connection more than limits.connections: told so, and closed") {
  obs::log::init(obs::log::level::off, obs::log::format::json);
  temporary_folder folder;
  obs::log_writer nowhere{-1};
  runtime::shared_state shared;
  runtime::worker worker{
      0,
      1,
      model_of(smallest +
               "server: { limits: { connections: 1 } }\nroutes: [{ path: /**, respond: 204, auth: none }]\n"),
      shared,
      nowhere,
      obs::access_style::json};
  worker.date = "Wed, 01 May 2024 12:00:00 GMT";
  config::endpoint where;
  where.type = config::endpoint::kind::unix_socket;
  where.path = folder.file("http");
  auto const socket = server::bound_socket::bind(where);
  REQUIRE(socket.has_value());
  server::listener listener{worker};
  listener.accept_on(*socket->clone(), {.address = where});

  auto const first = unix_connect(folder.file("http"));
  REQUIRE(first);
  settle(worker.context);
  auto const second = unix_connect(folder.file("http"));
  REQUIRE(second);
  settle(worker.context);

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
  CHECK(worker.metrics.route(obs::worker_metrics::no_route).requests.size() == 1);

  REQUIRE(first.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  settle(worker.context);
  CHECK(first.read().starts_with("HTTP/1.1 204 "));

  listener.drain();
  listener.cut();
  settle(worker.context);
}
