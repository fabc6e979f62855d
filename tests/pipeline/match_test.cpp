#include "exchange_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

namespace {

std::string const some_routes = R"(
server: { limits: { body_bytes: 100B } }
routes:
  - { id: get, path: /docs/**, methods: [GET], upstream: app }
  - { id: put, path: /docs/*, methods: [PUT], upstream: app }
  - { id: upload, path: /upload, upstream: app, body_bytes: 1KiB }
  - { id: hosted, path: /**, host: app.example.com, upstream: app }
  - { id: any, path: /any/**, upstream: app }
  - { id: public, path: /public/**, upstream: app, auth: none }
)";

}  // namespace

TEST_CASE("found, by method, path and host") {
  struct row {
    std::string line;
    std::string host;
    std::string id;
  };
  auto const [line, host, id] = GENERATE(values<row>({
      {"GET /docs/a HTTP/1.1", "h", "get"},
      {"HEAD /docs/a HTTP/1.1", "h", "get"},
      {"PUT /docs/a HTTP/1.1", "h", "put"},
      {"GET /login HTTP/1.1", "h", "(login)"},
      {"POST /login/x HTTP/1.1", "h", "(login)"},
      {"POST /logout HTTP/1.1", "h", "(logout)"},
      {"GET /.doorward/whoami HTTP/1.1", "h", "(whoami)"},
      {"GET /.doorward/jwks HTTP/1.1", "h", "(jwks)"},
      {"GET /.doorward/jwks/x HTTP/1.1", "h", "(own)"},
      {"GET /.doorward/nothing HTTP/1.1", "h", "(own)"},
      {"GET /x HTTP/1.1", "APP.example.com.:81", "hosted"},
      {"GET /any/x HTTP/1.1", "app.example.com", "hosted"},
      {"GET /any/x HTTP/1.1", "h", "any"},
      {"GET /a%6Ey/x HTTP/1.1", "h", "any"},
      {"GET /any//x;y/%2f HTTP/1.1", "h", "any"},
  }));
  CAPTURE(line, host);
  exchange_fixture b(some_routes);
  REQUIRE(outcome(b.matched(head_of(line, {"Host: " + host}))) == "ok");
  REQUIRE(b.x.route != nullptr);
  CHECK(b.x.route->config.id == id);
  CHECK(&b.worker.view.routes[b.x.route_index] == b.x.route);
}

TEST_CASE("not found, by what is missing") {
  struct row {
    std::string line;
    std::vector<std::string> fields;
    std::string outcome;
  };
  auto const [line, fields, expected] = GENERATE(values<row>({
      {"GET /nothing HTTP/1.1", {"Host: h"}, "no_route"},
      {"GET /anyx HTTP/1.1", {"Host: h"}, "no_route"},
      {"GET /nothing HTTP/1.0", {}, "no_route"},  // without Host only routes of any host are left
      {"DELETE /docs/a HTTP/1.1", {"Host: h"}, "method_not_allowed"},
      {"get /docs/a HTTP/1.1", {"Host: h"}, "method_not_allowed"},
      {"GET /public/..;/docs/a HTTP/1.1", {"Host: h"}, "ambiguous_path"},
      {"GET /public/..%2fdocs/a HTTP/1.1", {"Host: h"}, "ambiguous_path"},
      {"GET /docs//..%2f..%2fany HTTP/1.1", {"Host: h"}, "ambiguous_path"},
      {"GET /login;/x HTTP/1.1", {"Host: h"}, "ambiguous_path"},
  }));
  CAPTURE(line);
  exchange_fixture b(some_routes);
  CHECK(outcome(b.matched(head_of(line, fields))) == expected);
  CHECK(b.x.route == nullptr);
  CHECK(b.x.route_index == obs::worker_metrics::no_route);
}

TEST_CASE("body, longer than the route takes") {
  struct row {
    std::string path;
    std::string framing;
    std::string outcome;
  };
  auto const [path, framing, expected] = GENERATE(values<row>({
      {"/any/x", "Content-Length: 100", "ok"},
      {"/any/x", "Content-Length: 101", "body_too_large"},
      {"/any/x", "Content-Length: 9223372036854775807", "body_too_large"},
      {"/upload", "Content-Length: 1024", "ok"},
      {"/upload", "Content-Length: 1025", "body_too_large"},
      {"/any/x", "Transfer-Encoding: chunked", "ok"},  // counted as it comes
  }));
  CAPTURE(path, framing);
  exchange_fixture b(some_routes);
  CHECK(outcome(b.matched(head_of("POST " + path + " HTTP/1.1", {"Host: h", framing}))) == expected);
  CHECK(b.x.route != nullptr);  // it is known for metrics and log
}
