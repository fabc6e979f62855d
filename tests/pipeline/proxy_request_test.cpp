#include "proxy_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

// A request, its body above all, on its way to the upstream, and its second attempt.

namespace {

std::string const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

std::string with_body(std::string const& method, std::string const& framing) {
  return method + " /a HTTP/1.1\r\nHost: h\r\n" + framing + "\r\n\r\n";
}

// One request served to its end, so that there is a pooled connection.
void warm(proxy_fixture& p) {
  p.request(get);
  (void)p.forwarded();
  p.answer(ok);
  REQUIRE(p.done);
  (void)p.received();
  REQUIRE(p.cluster().idle() == 1);
}

}  // namespace

TEST_CASE("connection, used again by the next request") {
  proxy_fixture p;
  warm(p);
  p.request(get);
  CHECK_FALSE(test::accept(p.listener));
  CHECK(p.forwarded().starts_with("GET /a HTTP/1.1\r\n"));
  p.answer(ok);
  CHECK(p.done);
}

TEST_CASE("connection, dead before the request: another one, for every method") {
  proxy_fixture p;
  warm(p);
  p.upstream.close();
  p.request(with_body("POST", "Content-Length: 5") + "hello");
  CHECK(body_of(p.forwarded()) == "hello");
  p.answer(ok);
  CHECK(p.done);
  CHECK(p.refused() == "ok");
}

TEST_CASE("connection, dies under the request: sent again where that does no harm") {
  struct row {
    char const* what;
    std::string request;
    std::string options;
    std::string first_words;
    bool again;
  };
  auto const r = GENERATE(values<row>({
      {"GET", get, "", "", true},
      {"HEAD", "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n", "", "", true},
      {"PUT with all of its body", with_body("PUT", "Content-Length: 5") + "hello", "", "", true},
      {"DELETE", "DELETE /a HTTP/1.1\r\nHost: h\r\n\r\n", "", "", true},
      {"POST", with_body("POST", "Content-Length: 5") + "hello", "", "", false},
      {"PATCH", with_body("PATCH", "Content-Length: 5") + "hello", "", "", false},
      {"a method nobody knows", "FETCH /a HTTP/1.1\r\nHost: h\r\n\r\n", "", "", false},
      {"PUT with a body that is gone", with_body("PUT", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n", "",
       "", false},
      {"an answer had begun", get, "", "HTTP/1.1 2", false},
      {"retries are off", get, ", retries: 0", "", false},
  }));
  CAPTURE(r.what);
  proxy_fixture p(r.options);
  warm(p);
  p.request(r.request);
  auto const first = p.forwarded();
  CHECK_FALSE(first.empty());
  if (!r.first_words.empty()) p.answer(r.first_words);
  p.upstream_closes();
  auto const second = p.forwarded();
  if (r.again) {
    CHECK(second == first);
    p.answer(ok);
    CHECK(p.done);
    CHECK(p.refused() == "ok");
  } else {
    CHECK(second.empty());
    CHECK(p.done);
    CHECK(p.refused() == "upstream_reset");
    CHECK(p.received().starts_with("HTTP/1.1 502"));
  }
}

TEST_CASE("connection, a new one that dies under the request: not sent again") {
  proxy_fixture p;
  p.request(get);
  CHECK_FALSE(p.forwarded().empty());
  p.upstream_closes();
  CHECK(p.done);
  CHECK_FALSE(test::accept(p.listener));
  CHECK(p.refused() == "upstream_reset");
}

TEST_CASE("connection, none to be had: the time that took is the upstream's") {
  proxy_fixture p;
  p.listener.close();
  p.request(get);
  REQUIRE(p.done);
  CHECK(p.refused() == "upstream_connect");
  CHECK(p.x.upstream_time > 0ns);
}

TEST_CASE("connection, the second attempt fails too: that is all") {
  proxy_fixture p;
  warm(p);
  p.request(get);
  (void)p.forwarded();
  p.upstream_closes();
  CHECK_FALSE(p.forwarded().empty());
  p.upstream_closes();
  CHECK(p.done);
  CHECK_FALSE(test::accept(p.listener));
  CHECK(p.refused() == "upstream_reset");
}

TEST_CASE("body, here already: it leaves with the head") {
  proxy_fixture p;
  p.request(with_body("POST", "Content-Length: 5") + "hello");
  CHECK(p.forwarded().ends_with("Content-Length: 5\r\n\r\nhello"));
  p.answer(ok);
  CHECK(p.cluster().idle() == 1);
  CHECK_FALSE(p.x.close);
}

TEST_CASE("body, as it comes") {
  struct row {
    std::string framing;
    std::vector<std::string> pieces;
    std::vector<std::string> forwarded;
  };
  auto const r = GENERATE(values<row>({
      {"Content-Length: 11", {"hello", " wor", "ld"}, {"hello", " wor", "ld"}},
      {"Transfer-Encoding: chunked",
       {"5\r\nhello\r\n", "5;x=y\r\n wo", "rl\r\n1\r\nd\r\n", "0\r\nX-Sum: 1\r\n\r\n"},
       {"5\r\nhello\r\n", "3\r\n wo\r\n", "3\r\nrld\r\n", "0\r\n\r\n"}},
      {"Transfer-Encoding: chunked", {"0\r\n\r\n"}, {"0\r\n\r\n"}},
  }));
  CAPTURE(r.framing);
  proxy_fixture p;
  p.request(with_body("POST", r.framing));
  CHECK(p.forwarded().ends_with(r.framing + "\r\n\r\n"));
  for (std::size_t i = 0; i < r.pieces.size(); ++i) {
    CAPTURE(i);
    p.client.write(r.pieces[i]);
    p.settle();
    CHECK(p.forwarded() == r.forwarded[i]);
  }
  p.answer(ok);
  REQUIRE(p.done);
  CHECK(p.refused() == "ok");
  CHECK(p.cluster().idle() == 1);
  CHECK_FALSE(p.x.close);
}

TEST_CASE("body, waits to be asked: asked when there is a connection, and not before the request has a taker") {
  proxy_fixture p;
  p.request("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  CHECK(p.received() == "HTTP/1.1 100 Continue\r\n\r\n");
  auto const head = p.forwarded();
  CHECK(head.ends_with("Content-Length: 5\r\n\r\n"));
  CHECK(head.find("Expect") == std::string::npos);
  p.client.write("hello");
  p.settle();
  CHECK(p.forwarded() == "hello");
  p.answer(ok);
  CHECK(p.done);
  CHECK(p.received().starts_with("HTTP/1.1 200"));
}

TEST_CASE("body, by how it may fail: half a request never stays on a connection that others use") {
  struct row {
    char const* what;
    std::string framing;
    std::string sent;
    std::string reason;
    unsigned status;  ///< 0: nobody is left to be told
  };
  auto const r = GENERATE(values<row>({
      {"the client goes", "Content-Length: 100", "hello", "client_gone", 0},
      {"the client goes, in chunks", "Transfer-Encoding: chunked", "5\r\nhello\r\n", "client_gone", 0},
      {"broken chunks", "Transfer-Encoding: chunked", "5\r\nhello\r\nrubbish\r\n", "bad_request", 400},
      {"more than the route takes", "Transfer-Encoding: chunked", "400\r\n" + std::string(1024, 'x') + "\r\n1\r\n",
       "body_too_large", 413},
      {"too slow", "Content-Length: 100", "hello", "request_timeout", 408},
  }));
  CAPTURE(r.what);
  proxy_fixture p("", ", body_bytes: 1000B");
  p.request(with_body("POST", r.framing));
  (void)p.forwarded();
  p.client.write(r.sent);
  if (r.status == 0) p.client.end_sending();
  p.settle();
  if (r.status == 408) p.b.pass(31s);
  REQUIRE(p.done);
  CHECK(p.refused() == r.reason);
  CHECK(p.x.close);
  CHECK(p.cluster().open() == 0);
  auto const seen = p.forwarded();
  CHECK(seen.find("0\r\n\r\n") == std::string::npos);  // never the look of a whole body
  CHECK(p.upstream.state() == "end");
  if (r.status != 0) CHECK(p.received().starts_with("HTTP/1.1 " + std::to_string(r.status)));
}

TEST_CASE("body, the answer comes before its end: the answer goes on, and neither connection is used again") {
  proxy_fixture p;
  p.request(with_body("POST", "Content-Length: 1000000"));
  (void)p.forwarded();
  p.client.write("hello");
  p.settle();
  p.answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  REQUIRE(p.done);
  CHECK(body_of(p.received()) == "no");
  CHECK(p.cluster().open() == 0);
  CHECK(p.x.close);
}

TEST_CASE("body, the upstream takes no more but has answered: the answer counts") {
  proxy_fixture p;
  p.request(with_body("POST", "Content-Length: 1000000"));
  (void)p.forwarded();
  p.upstream.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
  p.upstream.end_sending();
  p.settle();
  REQUIRE(p.done);
  CHECK(p.received().starts_with("HTTP/1.1 413"));
}

TEST_CASE("body, of a method that gives it no meaning: the connection is not used again") {
  proxy_fixture p;
  p.request(with_body("GET", "Content-Length: 5") + "hello");
  CHECK(p.forwarded().find("Connection: close\r\n") != std::string::npos);
  p.answer(ok);
  CHECK(p.done);
  CHECK(p.cluster().open() == 0);
  CHECK_FALSE(p.x.close);
}

TEST_CASE("login form, it is here as a whole before a connection is taken for it") {
  proxy_fixture p;
  p.request("POST /login HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello");
  CHECK(p.cluster().open() == 0);
  p.client.write(" world");
  p.settle();
  CHECK(p.forwarded().ends_with("Content-Length: 11\r\n\r\nhello world"));
  p.answer(ok);
  CHECK(p.done);
  CHECK(p.refused() == "ok");
  CHECK(p.cluster().idle() == 1);
}

TEST_CASE("login form, the client waits to be asked") {
  proxy_fixture p;
  p.request("POST /login HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  CHECK(p.received() == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(p.cluster().open() == 0);
  p.client.write("hello");
  p.settle();
  CHECK(p.forwarded().ends_with("\r\n\r\nhello"));
  p.answer(ok);
  CHECK(p.done);
  CHECK(p.received().starts_with("HTTP/1.1 200"));
}
