#include "admin/respond.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "catch.hpp"

using namespace doorward::admin;

namespace {

sources make(readiness const& r = {true, true, {}}) {
  return {[r] { return r; }, [] { return std::string("metric 1\n"); }, [] { return std::string("{\"a\":1}"); }};
}

}  // namespace

TEST_CASE("what is at which address") {
  struct row {
    std::string method;
    std::string target;
    unsigned status;
    std::string type;
    std::string body;
  };
  std::string const text = "text/plain; charset=utf-8";
  auto const [method, target, status, type, body] = GENERATE_COPY(values<row>({
      {"GET", "/livez", 200, text, "ok\n"},
      {"HEAD", "/livez", 200, text, "ok\n"},
      {"GET", "/livez?x", 200, text, "ok\n"},
      {"GET", "/readyz", 200, "application/json", "{\"ready\":true,\"reasons\":[]}\n"},
      {"GET", "/metrics", 200, "text/plain; version=0.0.4; charset=utf-8", "metric 1\n"},
      {"GET", "/config", 200, "application/json", "{\"a\":1}"},
  }));
  CAPTURE(method, target);
  auto const r = respond(make(), method, target);
  CHECK(r.status == status);
  CHECK(r.type == type);
  CHECK(r.body == body);
}

TEST_CASE("what is not there, and what may not be done") {
  struct row {
    std::string method;
    std::string target;
    unsigned status;
    std::string allow;
  };
  auto const [method, target, status, allow] = GENERATE(values<row>({
      {"GET", "/", 404, ""},
      {"GET", "/livez/", 404, ""},
      {"GET", "//livez", 404, ""},
      {"GET", "/LIVEZ", 404, ""},
      {"GET", "http://x/livez", 404, ""},
      {"GET", "", 404, ""},
      {"POST", "/livez", 405, "GET, HEAD"},
      {"DELETE", "/config", 405, "GET, HEAD"},
      {"get", "/metrics", 405, "GET, HEAD"},
      {"GET", "/reload", 405, "POST"},
      {"POST", "/reload", 501, ""},
  }));
  CAPTURE(method, target);
  auto const r = respond(make(), method, target);
  CHECK(r.status == status);
  CHECK(r.allow == allow);
}

TEST_CASE("readiness, plain and strict") {
  struct row {
    bool ready;
    bool strict;
    std::string query;
    unsigned status;
  };
  auto const [ready, strict, query, status] = GENERATE(values<row>({
      {true, true, "", 200},
      {true, true, "?strict=1", 200},
      {true, false, "", 200},
      {true, false, "?strict=1", 503},
      {true, false, "?a=b&strict=1&c", 503},
      {true, false, "?strict=0", 200},
      {true, false, "?xstrict=1", 200},
      {true, false, "?strict=10", 200},
      {false, false, "", 503},
      {false, true, "?strict=1", 503},
  }));
  CAPTURE(ready, strict, query);
  auto const r =
      respond(make({ready, strict, {"redis has not been reached since start", "\xff"}}), "GET", "/readyz" + query);
  CHECK(r.status == status);
  auto const json = nlohmann::json::parse(r.body);
  CHECK(json.at("ready") == (status == 200));
  CHECK(json.at("reasons").at(0) == "redis has not been reached since start");
}

TEST_CASE("a source that throws is a 500") {
  auto from = make();
  from.metrics_text = []() -> std::string { throw std::runtime_error("no"); };
  from.config_json = nullptr;
  CHECK(respond(from, "GET", "/metrics").status == 500);
  CHECK(respond(from, "GET", "/config").status == 500);
  CHECK(respond(from, "GET", "/livez").status == 200);
}
