#include "proxy_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

// The answer of an upstream on its way to the client.

namespace {

std::string head_part(std::string const& message) {
  return message.substr(0, message.find("\r\n\r\n"));
}

// The body, without the framing of chunks.
std::string content(std::string const& message) {
  auto body = body_of(message);
  if (head_part(message).find("Transfer-Encoding: chunked") == std::string::npos) return body;
  http::body_decoder decoder;
  decoder.start(http::framing::chunked, 0);
  auto const step = decoder.feed(body);
  if (!step.has_value() || !step->finished || step->consumed != body.size()) return "broken chunks: " + body;
  return {step->data.begin(), step->data.end()};
}

}  // namespace

TEST_CASE("answer, as it comes and as it goes") {
  struct row {
    std::string request;
    std::string answer;
    bool upstream_closes;
    std::string received;
    bool pooled;
    bool close;
  };
  auto const old = std::string("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  auto const head = std::string("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n");
  auto const r = GENERATE_REF(values<row>({
      {get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false,
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true, false},
      {get, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true,
       false},
      {get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n",
       false, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true, false},
      {get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", true, false},
      // The end of the body is the end of the connection: the client's goes on, if it knows chunks.
      {get, "HTTP/1.1 200 OK\r\n\r\nhello", true,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", false, false},
      {old, "HTTP/1.1 200 OK\r\n\r\nhello", true, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", false, true},
      {old, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", false,
       "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", true, true},
      {old, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false,
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello", true, false},
      // There is no body, whatever the fields say.
      {head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
       true, false},
      {head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, "HTTP/1.1 200 OK\r\n\r\n", true, false},
      {head, "HTTP/1.1 200 OK\r\n\r\n", false, "HTTP/1.1 200 OK\r\n\r\n", true, false},
      {get, "HTTP/1.1 204 No Content\r\n\r\n", false, "HTTP/1.1 204 No Content\r\n\r\n", true, false},
      {get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false,
       "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", true, false},
      // Not an answer yet.
      {get,
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
       "0\r\n\r\n",
       false, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true, false},
      // Connections that are not used again.
      {get, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", false,
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, false},
      {get, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", false,
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, false},
      {get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n", false,
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, false},
      {head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
       false, false},
      {get, "HTTP/1.1 204 No Content\r\n\r\nbody", false, "HTTP/1.1 204 No Content\r\n\r\n", false, false},
  }));
  CAPTURE(r.request, r.answer);
  bool const in_pieces = GENERATE(false, true);
  CAPTURE(in_pieces);
  proxy_fixture p;
  p.request(r.request);
  CHECK_FALSE(p.forwarded().empty());
  if (in_pieces) {
    // What lies beyond the answer is not taken any more when it comes by itself.
    for (auto const c : r.answer)
      if (!p.done) p.answer({&c, 1});
  } else {
    p.answer(r.answer);
  }
  if (r.upstream_closes) p.upstream_closes();
  REQUIRE(p.done);
  auto const got = p.received();
  if (in_pieces) {
    CHECK(head_part(got) == head_part(r.received));
    CHECK(content(got) == content(r.received));
    if (!r.pooled) return;  // it has been used for one answer only, as far as could be seen
  } else {
    CHECK(got == r.received);
  }
  CHECK(p.refused() == "ok");
  CHECK(p.cluster().idle() == (r.pooled ? 1 : 0));
  CHECK(p.cluster().open() == (r.pooled ? 1 : 0));
  CHECK(p.x.close == r.close);
  CHECK_FALSE(p.x.abort);
}

TEST_CASE("answer, none that could be understood") {
  struct row {
    char const* what;
    std::string answer;
    bool closes;
    std::string reason;
    unsigned status;
  };
  std::string interim;
  for (int i = 0; i < 9; ++i)
    interim += "HTTP/1.1 103 Early Hints\r\n\r\n";
  auto const r = GENERATE_REF(values<row>({
      {"nothing", "", true, "upstream_reset", 502},
      {"half a head", "HTTP/1.1 200 OK\r\nContent-Le", true, "upstream_reset", 502},
      {"only an interim one", "HTTP/1.1 100 Continue\r\n\r\n", true, "upstream_reset", 502},
      {"rubbish", "220 smtp.example.com ESMTP\r\n\r\n", false, "upstream_bad_response", 502},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", false,
       "upstream_bad_response", 502},
      {"length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", false,
       "upstream_bad_response", 502},
      {"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", false, "upstream_bad_response", 502},
      {"a folded field", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", false, "upstream_bad_response", 502},
      {"an endless head", "HTTP/1.1 200 OK\r\nA: " + std::string(40'000, 'a'), false, "upstream_bad_response", 502},
      {"interim ones for ever", interim, false, "upstream_bad_response", 502},
      {"an upgrade nobody asked for",
       "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", false,
       "upstream_bad_response", 502},
      {"chunks broken from the first", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nrubbish\r\n", false,
       "upstream_bad_response", 502},
  }));
  CAPTURE(r.what);
  proxy_fixture p;
  p.request(get);
  (void)p.forwarded();
  if (!r.answer.empty()) p.answer(r.answer);
  if (r.closes) p.upstream_closes();
  REQUIRE(p.done);
  CHECK(p.refused() == r.reason);
  CHECK(p.received().starts_with("HTTP/1.1 " + std::to_string(r.status)));
  CHECK(p.cluster().open() == 0);
  CHECK_FALSE(p.x.close);  // it is not the client's fault
}

TEST_CASE("answer, broken in its middle: the client must see that it is not whole") {
  struct row {
    std::string request;
    std::string answer;
    std::string end;
    bool abort;
  };
  auto const old = std::string("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  auto const r = GENERATE_REF(values<row>({
      {get, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "Content-Length: 9\r\n\r\nhello", false},
      {get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "5\r\nhello\r\n", false},
      {get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello", "5\r\nhello\r\n", false},
      {get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "5\r\nhello\r\n", false},
      {old, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "\r\n\r\nhello", true},
  }));
  CAPTURE(r.request, r.answer);
  proxy_fixture p;
  p.request(r.request);
  (void)p.forwarded();
  p.answer(r.answer);
  CHECK_FALSE(p.done);
  p.upstream_closes();
  REQUIRE(p.done);
  CHECK(p.refused() == "upstream_reset");
  CHECK(p.x.close);
  CHECK(p.x.abort == r.abort);  // there, an orderly end of the connection would be the end of the body
  CHECK(p.received().ends_with(r.end));
  CHECK(p.cluster().open() == 0);
}

TEST_CASE("answer, larger than any buffer: what is not taken waits, and memory stays bounded") {
  proxy_fixture p;
  p.request(get);
  (void)p.forwarded();
  std::string body;
  while (body.size() < 1'000'000)
    body += std::to_string(body.size()) + ' ';
  p.answer("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  std::string got;
  std::size_t sent = 0;
  for (int i = 0; i < 100'000 && !p.done; ++i) {
    if (sent < body.size()) {
      auto const n = ::send(p.upstream.get(), body.data() + sent, body.size() - sent, MSG_NOSIGNAL);
      if (n > 0) sent += static_cast<std::size_t>(n);
    }
    p.settle();
    CHECK(p.x.upstream_buffer.data().size() <= net::buffer_pool::block);
    got += p.client.read();
  }
  got += p.client.read();
  REQUIRE(p.done);
  CHECK((body_of(got) == body));
  CHECK(p.x.bytes_out == body.size());
  CHECK(p.cluster().idle() == 1);
}

TEST_CASE("answer, an event stream: each piece goes on at once, and silence is no mistake") {
  proxy_fixture p(", timeouts: { idle: 5s }", ", timeouts: { total: 10s }");
  p.request(get);
  (void)p.forwarded();
  p.answer("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n");
  CHECK(p.received().ends_with("Transfer-Encoding: chunked\r\n\r\n"));
  p.answer("data: 1\n\n");
  CHECK(p.received() == "9\r\ndata: 1\n\n\r\n");
  p.b.pass(60s);
  CHECK_FALSE(p.done);
  p.answer("data: 2\n\n");
  CHECK(p.received() == "9\r\ndata: 2\n\n\r\n");
  p.upstream_closes();
  REQUIRE(p.done);
  CHECK(p.received() == "0\r\n\r\n");
}

TEST_CASE("time, by what takes too long") {
  struct row {
    char const* what;
    std::string upstream;
    std::string route;
    std::string answer;
    milliseconds after;
    bool answered;
  };
  auto const r = GENERATE(values<row>({
      {"no answer", ", timeouts: { first_byte: 5s }", "", "", 5s, false},
      {"half a head", ", timeouts: { first_byte: 5s }", "", "HTTP/1.1 200", 5s, false},
      {"the whole", ", timeouts: { first_byte: 50s }", ", timeouts: { total: 5s }", "", 5s, false},
      {"the whole, a body that does not end", "", ", timeouts: { total: 5s }",
       "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", 5s, true},
      {"silence in a body", ", timeouts: { idle: 5s }", "", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", 5s,
       true},
  }));
  CAPTURE(r.what);
  proxy_fixture p(r.upstream, r.route);
  p.request(get);
  (void)p.forwarded();
  if (!r.answer.empty()) p.answer(r.answer);
  p.b.pass(r.after - 200ms);
  CHECK_FALSE(p.done);
  p.b.pass(600ms);
  REQUIRE(p.done);
  CHECK(p.refused() == "upstream_timeout");
  auto const got = p.received();
  CHECK(got.starts_with(r.answered ? "HTTP/1.1 200" : "HTTP/1.1 504"));
  CHECK(p.x.close == r.answered);
  CHECK(p.cluster().open() == 0);
}

TEST_CASE("time, the client goes while the upstream thinks: nobody waits on for it") {
  proxy_fixture p;
  p.request(get);
  (void)p.forwarded();
  bool const early_request = GENERATE(false, true);
  if (early_request) p.client.write(get);  // bytes that have not been read do not hide the end
  p.client.close();
  p.b.pass(2s);
  REQUIRE(p.done);
  CHECK(p.refused() == "client_gone");
  CHECK(p.upstream.state() == "end");
  CHECK(p.cluster().open() == 0);
}

TEST_CASE("the upstream cannot be had") {
  struct row {
    std::string what;
    std::string reason;
    unsigned status;
  };
  auto const [what, reason, status] = GENERATE(values<row>({
      {"refused", "upstream_connect", 502},
      {"saturated", "upstream_saturated", 503},
  }));
  CAPTURE(what);
  proxy_fixture p(", connections: 1, timeouts: { connect: 2s }");
  std::optional<result<upstream::lease>> held;
  net::watch watch(p.b.worker.wheel);
  if (what == "refused") {
    p.listener.close();
  } else {
    net::spawn([](proxy_fixture& on, net::watch& w, std::optional<result<upstream::lease>>& into) -> net::task<> {
      auto r = co_await on.cluster().connect(w);
      into.emplace(std::move(r));
    }(p, watch, held));
    REQUIRE(held);
  }
  p.request("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  p.b.pass(2s + 100ms);
  REQUIRE(p.done);
  CHECK(p.refused() == reason);
  // Not asked to send a body for which there is no taker.
  auto const got = p.received();
  CHECK(got.starts_with("HTTP/1.1 " + std::to_string(status)));
  CHECK((got.find("Retry-After") != std::string::npos) == (status == 503));
}
