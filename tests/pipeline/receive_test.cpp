#include "exchange_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

TEST_CASE("host, it is brought to its one form") {
  struct row {
    std::string line;
    std::string field;
    std::string host;
  };
  auto const [line, field, host] = GENERATE(values<row>({
      {"GET / HTTP/1.1", "Host: example.com", "example.com"},
      {"GET / HTTP/1.1", "Host: Example.COM:8443", "example.com"},
      {"GET / HTTP/1.1", "Host: example.com.", "example.com"},
      {"GET / HTTP/1.1", "Host: [2001:DB8:0::1]:80", "[2001:db8::1]"},
      {"GET http://Other.example:80/ HTTP/1.1", "Host: example.com", "other.example"},
      {"GET / HTTP/1.0", "Host: example.com", "example.com"},
      {"GET / HTTP/1.0", "Accept: */*", ""},
  }));
  CAPTURE(line, field);
  exchange_fixture b;
  CHECK(outcome(b.received(head_of(line, {field}))) == "ok");
  CHECK(b.x.host == host);
}

TEST_CASE("target, path and query come apart, and the path is canonical") {
  struct row {
    std::string target;
    std::string path;
    std::string query;
    bool has_query;
  };
  auto const [target, path, query, has_query] = GENERATE(values<row>({
      {"/", "/", "", false},
      {"/a/b", "/a/b", "", false},
      {"/a?", "/a", "", true},
      {"/a?b=c&d=%41?/;", "/a", "b=c&d=%41?/;", true},
      {"/%61/./b/../c?/../x", "/a/c", "/../x", true},
      {"/a%2fb", "/a%2Fb", "", false},
      {"http://h/a?b", "/a", "b", true},
  }));
  CAPTURE(target);
  exchange_fixture b;
  CHECK(outcome(b.received(head_of("GET " + target + " HTTP/1.1", {"Host: h"}))) == "ok");
  CHECK(b.x.path.text() == path);
  CHECK(b.x.query == query);
  CHECK(b.x.has_query == has_query);
}

TEST_CASE("refused, by what is wrong with it") {
  struct row {
    std::string line;
    std::vector<std::string> fields;
    std::string outcome;
  };
  std::vector<std::string> const host{"Host: h"};
  auto const [line, fields, expected] = GENERATE_REF(values<row>({
      {"GET / HTTP/1.1", {}, "bad_request"},
      {"GET / HTTP/1.1", {"Host: a", "Host: a"}, "bad_request"},
      {"GET / HTTP/1.1", {"Host: a b"}, "bad_request"},
      {"GET / HTTP/1.1", {"Host: user@h"}, "bad_request"},
      {"GET / HTTP/1.1", {"Host:"}, "bad_request"},
      {"GET / HTTP/1.0", {"Host: a b"}, "bad_request"},
      {"GET http://user@h/ HTTP/1.1", host, "bad_request"},
      {"GET ftp://h/ HTTP/1.1", host, "bad_request"},
      {"OPTIONS * HTTP/1.1", host, "bad_request"},
      {"CONNECT h:443 HTTP/1.1", host, "bad_request"},
      {"GET / HTTP/2.0", host, "bad_request"},
      {"GET /a?b#c HTTP/1.1", host, "bad_request"},
      {"GET /a#c HTTP/1.1", host, "bad_request"},
      {"GET /a?b\x7f HTTP/1.1", host, "bad_request"},
      {"GET /a?\xc3\xa4 HTTP/1.1", host, "bad_request"},
      {"GET /a\\b HTTP/1.1", host, "bad_request"},
      {"GET /%00 HTTP/1.1", host, "bad_request"},
      {"GET /%0d%0a HTTP/1.1", host, "bad_request"},
      {"GET /%zz HTTP/1.1", host, "bad_request"},
      {"GET /../a HTTP/1.1", host, "bad_request"},
      {"GET /%2e%2e/a HTTP/1.1", host, "bad_request"},
      {"TRACE / HTTP/1.1", host, "method_not_allowed"},
      {"POST / HTTP/1.1", {"Host: h", "Content-Length: 1", "Transfer-Encoding: chunked"}, "bad_request"},
      {"POST / HTTP/1.1", {"Host: h", "Content-Length: 1", "Content-Length: 1"}, "bad_request"},
      {"POST / HTTP/1.1", {"Host: h", "Transfer-Encoding: gzip, chunked"}, "bad_request"},
      {"POST / HTTP/1.0", {"Host: h", "Transfer-Encoding: chunked"}, "bad_request"},
      {"POST / HTTP/1.1", {"Host: h", "Content-Length: 1", "Expect: 200-maybe"}, "unsupported_expectation"},
  }));
  CAPTURE(line, fields);
  exchange_fixture b;
  CHECK(outcome(b.received(head_of(line, fields))) == expected);
}

TEST_CASE("limits, as configured") {
  exchange_fixture b(
      "server: { limits: { headers: 5, target_bytes: 1KiB } }\nroutes: [{ path: /**, upstream: app }]\n");
  CHECK(outcome(b.received(head_of("GET / HTTP/1.1", {"Host: h", "A: 1", "B: 2", "C: 3", "D: 4"}))) == "ok");
  CHECK(outcome(b.received(head_of("GET / HTTP/1.1", {"Host: h", "A: 1", "B: 2", "C: 3", "D: 4", "E: 5"}))) ==
        "too_many_headers");
  CHECK(outcome(b.received(head_of("GET /" + std::string(1024, 'a') + " HTTP/1.1", {"Host: h"}))) == "target_too_long");
}

TEST_CASE("the connection, whether it goes on after this request") {
  struct row {
    std::string version;
    std::string connection;
    bool draining;
    bool close;
  };
  auto const [version, connection, draining, close] = GENERATE(values<row>({
      {"HTTP/1.1", "", false, false},
      {"HTTP/1.1", "keep-alive", false, false},
      {"HTTP/1.1", "close", false, true},
      {"HTTP/1.1", "Close, Upgrade", false, true},
      {"HTTP/1.0", "", false, true},
      {"HTTP/1.0", "keep-alive", false, false},
      {"HTTP/1.1", "", true, true},
      {"HTTP/1.0", "keep-alive", true, true},
  }));
  CAPTURE(version, connection, draining);
  exchange_fixture b;
  b.worker.draining = draining;
  std::vector<std::string> fields{"Host: h"};
  if (!connection.empty()) fields.push_back("Connection: " + connection);
  CHECK(outcome(b.received(head_of("GET / " + version, fields))) == "ok");
  CHECK(b.x.close == close);
}

TEST_CASE("navigation, by method and what the browser says") {
  struct row {
    std::string method;
    std::vector<std::string> fields;
    bool navigation;
  };
  auto const [method, fields, navigation] = GENERATE(values<row>({
      {"GET", {"Accept: text/html,*/*;q=0.8"}, true},
      {"HEAD", {"Accept: text/html"}, true},
      {"POST", {"Accept: text/html"}, false},
      {"GET", {"Accept: application/json"}, false},
      {"GET", {}, false},
      {"GET", {"Sec-Fetch-Mode: navigate"}, true},
      {"GET", {"Sec-Fetch-Mode: cors", "Accept: text/html"}, false},
      {"GET", {"Sec-Fetch-Mode: navigate", "X-Requested-With: XMLHttpRequest"}, false},
  }));
  CAPTURE(method, fields);
  exchange_fixture b;
  auto all = fields;
  all.emplace_back("Host: h");
  CHECK(outcome(b.received(head_of(method + " / HTTP/1.1", all))) == "ok");
  CHECK(b.x.navigation == navigation);
}

TEST_CASE("body, its reading begins behind the head") {
  struct row {
    std::vector<std::string> fields;
    std::string rest;
    bool finished;
    bool waits_for_continue;
  };
  auto const [fields, rest, finished, waits] = GENERATE(values<row>({
      {{}, "", true, false},
      {{"Content-Length: 0"}, "", true, false},
      {{"Content-Length: 5"}, "", false, false},
      {{"Content-Length: 5"}, "hello", false, false},
      {{"Transfer-Encoding: chunked"}, "", false, false},
      {{"Content-Length: 5", "Expect: 100-continue"}, "", false, true},
      {{"Content-Length: 5", "Expect: 100-continue"}, "hel", false, false},  // it did not wait
      {{"Expect: 100-continue"}, "", true, false},                           // there is nothing to send
  }));
  CAPTURE(fields, rest);
  exchange_fixture b;
  auto all = fields;
  all.emplace_back("Host: h");
  CHECK(outcome(b.received(head_of("POST / HTTP/1.1", all) + rest)) == "ok");
  CHECK(b.down.body_finished() == finished);
  CHECK(b.down.expects_continue() == waits);
  CHECK(b.down.pending_bytes() == rest);
  CHECK(b.down.body_bytes() == 0);
}

TEST_CASE("an exchange that is used again keeps nothing of the request before") {
  exchange_fixture b(
      "server: { trusted_proxies: [192.0.2.0/24] }\nroutes: [{ path: /**, upstream: app, rewrite: /new }]\n");
  b.from.trusted = true;
  auto const first = head_of(
      "POST /a%2fb?q HTTP/1.0",
      {"Host: h", "Accept: text/html", "X-Request-Id: theirs", "Cookie: sid=" + std::string(an_id),
       "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "X-Forwarded-For: 198.51.100.7"});
  REQUIRE(outcome(b.matched(first)) == "ok");
  b.log_in({{"userId", "42"}});
  REQUIRE(outcome(transform(b.x)) == "ok");
  b.x.expire_cookie = b.x.answered = b.x.abort = true;
  b.x.set_cookie = "sid=x";
  b.x.refused = errc::forbidden;
  b.x.status = 403;
  b.x.bytes_out = 7;
  b.x.store_time = b.x.upstream_time = 1s;

  b.from.trusted = false;
  b.begin(head_of("GET / HTTP/1.1", {"Host: other"}));
  auto const& x = b.x;
  CHECK(x.host.empty());
  CHECK(x.path.text().empty());
  CHECK(x.query.empty());
  CHECK_FALSE(x.has_query);
  CHECK_FALSE(x.navigation);
  CHECK(x.kept.empty());
  CHECK(x.cookie_fields.empty());
  CHECK(x.cookies.count == 0);
  CHECK_FALSE(x.cookies.present);
  CHECK(x.request_id != "theirs");
  CHECK(x.request_id.size() == 32);
  CHECK(x.traceparent.empty());
  CHECK(x.client_address == "192.0.2.1");
  CHECK(x.route == nullptr);
  CHECK(x.route_index == obs::worker_metrics::no_route);
  CHECK(x.session.user().empty());
  CHECK_FALSE(x.authenticated());
  CHECK_FALSE(x.expire_cookie);
  CHECK(x.upstream_path.empty());
  CHECK(x.upstream_head.empty());
  CHECK_FALSE(x.answered);
  CHECK_FALSE(x.close);
  CHECK_FALSE(x.abort);
  CHECK(x.set_cookie.empty());
  CHECK_FALSE(x.refused);
  CHECK(x.status == 0);
  CHECK(x.bytes_out == 0);
  CHECK(x.store_time.count() == 0);
  CHECK(x.upstream_time.count() == 0);
}
