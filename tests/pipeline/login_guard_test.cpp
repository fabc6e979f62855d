#include "pipeline/login_guard.hpp"

#include "proxy_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

namespace {

struct login_fixture : proxy_fixture {
  explicit login_fixture(
      std::string const& guard = "in_flight: 1, queue: 1, queue_timeout: 3s, failures: 2, failures_per_address: 2")
      : proxy_fixture("", "", "", ", guard: { " + guard + " }") {}

  void post(std::string const& body, std::string const& path = "/login", std::string const& more = "") {
    request("POST " + path + " HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n" + more +
            "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  /// A whole attempt that the identity service answers with `status` and these fields.
  void attempt(std::string const& status, std::string const& fields = "", std::string const& body = "username=alice",
               std::string const& path = "/login") {
    post(body, path);
    REQUIRE(forwarded().starts_with("POST " + path));
    answer("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n" + fields + "\r\n");
    REQUIRE(done);
    (void)received();
  }
  [[nodiscard]] bool banned(std::string const& by) const { return refused() == "login_" + by + "_banned"; }

  [[nodiscard]] std::uint64_t failures() const { return b.worker.metrics.logins_failed(); }

  /// Somebody else's place at the identity service.
  runtime::login_gate::visit other{b.shared.logins, b.worker.turns, b.worker.wheel};
};

}  // namespace

TEST_CASE("a login with a place free goes on, and gives it back with the answer's head") {
  login_fixture f;
  f.post("username=alice");
  CHECK(f.forwarded().starts_with("POST /login "));
  CHECK(f.b.shared.logins.now().in_flight == 1);
  f.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  CHECK(f.b.shared.logins.now().in_flight == 0);
  CHECK(!f.done);
  f.answer("hello");
  CHECK(f.done);
}

TEST_CASE("a login waits for its place") {
  login_fixture f;
  REQUIRE(f.other.enter());
  f.post("username=alice");
  CHECK(f.forwarded().empty());
  CHECK(f.b.shared.logins.now().queued == 1);
  f.b.pass(2s);
  CHECK(f.forwarded().empty());
  f.other.leave();
  f.settle();
  CHECK(f.forwarded().starts_with("POST /login "));
  CHECK(f.x.queue_time >= 2s);
}

TEST_CASE("a wait that takes too long") {
  login_fixture f;
  REQUIRE(f.other.enter());
  f.post("username=alice");
  f.b.pass(3100ms);
  CHECK(f.done);
  CHECK(f.refused() == "login_queue_timeout");
  CHECK(f.b.worker.metrics.logins_shed(obs::shed_reason::queue_timeout) == 1);
  CHECK(f.b.shared.logins.now().queued == 0);
  auto const got = f.received();
  CAPTURE(got);
  CHECK(got.starts_with("HTTP/1.1 503 "));
  CHECK(got.find("\"code\":\"login_busy\"") != got.npos);
  CHECK((f.x.retry_after >= 1 && f.x.retry_after <= 6));
  CHECK(got.find("Retry-After: " + std::to_string(f.x.retry_after) + "\r\n") != got.npos);
}

TEST_CASE("a line that is full, for a person who has sent a form") {
  login_fixture f;
  runtime::login_gate::visit waiting{f.b.shared.logins, f.b.worker.turns, f.b.worker.wheel};
  REQUIRE(f.other.enter());
  REQUIRE(waiting.enter());
  f.post("username=alice", "/login?next=/a", "Accept: text/html\r\n");
  CHECK(f.refused() == "login_queue_full");
  auto const got = f.received();
  CAPTURE(got);
  CHECK(got.find("<meta http-equiv=\"refresh\" content=\"" + std::to_string(f.x.retry_after) + "\">") != got.npos);
  CHECK(got.find("alice") == got.npos);
}

TEST_CASE("a client that is gone leaves the line") {
  login_fixture f;
  REQUIRE(f.other.enter());
  f.post("username=alice");
  f.client.close();
  f.b.pass(1100ms);
  CHECK(f.done);
  CHECK(f.refused() == "client_gone");
  CHECK(f.b.shared.logins.now().queued == 0);
}

TEST_CASE("which answers are failed logins") {
  struct row {
    std::string status, fields, body, path;
    bool failed;
  };
  for (auto const& [status, fields, body, path, failed] : std::vector<row>{
           {"401 Unauthorized", "", "username=alice", "/login", true},
           {"403 Forbidden", "", "", "/login/step", true},
           {"422 Unprocessable Content", "", "", "/login/step", true},
           {"200 OK", "", "username=alice", "/login", true},
           {"200 OK", "", "", "/login", true},
           {"303 See Other", "Location: /login\r\n", "username=alice", "/login/step", true},
           {"200 OK", "", "code=1", "/login/step", false},
           {"400 Bad Request", "", "username=alice", "/login", true},
           {"400 Bad Request", "", "", "/login", false},
           {"404 Not Found", "", "username=alice", "/login", false},
           {"500 Internal Server Error", "", "username=alice", "/login", false},
           {"503 Service Unavailable", "", "username=alice", "/login", false},
           {"200 OK", "Doorward-Attempt: none\r\n", "username=alice", "/login", false},
           {"401 Unauthorized", "Doorward-Attempt: none\r\n", "username=alice", "/login", false},
           {"500 Internal Server Error", "Doorward-Attempt: failed\r\n", "username=alice", "/login", true},
       }) {
    CAPTURE(status, fields, body, path);
    login_fixture f;
    f.attempt(status, fields, body, path);
    CHECK(f.failures() == (failed ? 1 : 0));
  }
}

TEST_CASE("who has failed too often is told so, and nobody is asked") {
  login_fixture f;
  f.attempt("401 Unauthorized", "", "username=alice");
  f.attempt("401 Unauthorized", "", "username=bob");
  f.post("username=carol");
  CHECK(f.banned("address"));
  CHECK(f.forwarded().empty());
  auto const got = f.received();
  CAPTURE(got);
  CHECK(got.starts_with("HTTP/1.1 429 "));
  CHECK(got.find("Retry-After: 300\r\n") != got.npos);
  CHECK(got.find("\"code\":\"rate_limited\"") != got.npos);
  CHECK(f.b.worker.metrics.login_bans(obs::banned_by::address) == 1);

  SECTION("the page may still be looked at") {
    f.request("GET /login HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(f.forwarded().starts_with("GET /login"));
  }
  SECTION("a ban ends") {
    f.b.pass(300s);
    f.post("username=carol");
    CHECK(f.forwarded().starts_with("POST /login"));
  }
}

TEST_CASE("a user that was tried too often, from two addresses") {
  login_fixture f;
  f.attempt("401 Unauthorized");
  f.b.from.text = "192.0.2.2";
  f.attempt("401 Unauthorized", "", "username=ALICE");
  f.b.from.text = "192.0.2.3";
  f.post("username=alice");
  CHECK(f.banned("user"));
  CHECK(f.forwarded().empty());
  f.post("username=bob");
  CHECK(f.forwarded().starts_with("POST /login"));
}

TEST_CASE("a ban that comes while one waits") {
  login_fixture f;
  REQUIRE(f.other.enter());
  f.post("username=alice");
  for (int i = 0; i < 2; ++i)
    (void)f.b.shared.failed_by_user.count(f.b.shared.login_keys.user("alice"), f.b.worker.wheel.now());
  f.other.leave();
  f.settle();
  CHECK(f.banned("user"));
  CHECK(f.forwarded().empty());
  CHECK(f.b.shared.logins.now().in_flight == 0);
}

TEST_CASE("a proxy that does not say for whom it speaks is nobody's address") {
  login_fixture f("failures: 9, failures_per_address: 1");
  f.b.from.trusted = true;
  f.attempt("401 Unauthorized", "", "username=alice");
  f.post("username=bob");
  CHECK(f.forwarded().starts_with("POST /login"));
}

TEST_CASE("what a page of another site makes its visitors send is not their attempt") {
  login_fixture f;
  f.post("username=alice", "/login/step", "Sec-Fetch-Site: cross-site\r\n");
  (void)f.forwarded();
  f.answer("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
  CHECK(f.failures() == 0);
}

TEST_CASE("credentials in the head are an attempt, whatever the method") {
  login_fixture f;
  for (int i = 0; i < 2; ++i) {
    f.request("GET /login HTTP/1.1\r\nHost: h\r\nAuthorization: Basic eDp5\r\n\r\n");
    (void)f.forwarded();
    f.answer("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
  }
  f.request("GET /login HTTP/1.1\r\nHost: h\r\nAuthorization: Basic eDp5\r\n\r\n");
  CHECK(f.banned("address"));
}

TEST_CASE("a client that leaves in mid-login keeps its place until the answer") {
  login_fixture f;
  f.post("username=alice");
  CHECK(f.forwarded().starts_with("POST /login"));
  f.client.close();
  f.b.pass(3s);
  CHECK(f.b.shared.logins.now().in_flight == 1);
  f.answer("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
  CHECK(f.b.shared.logins.now().in_flight == 0);
  CHECK(f.failures() == 1);
}

TEST_CASE("clients of a unix socket have no address") {
  login_fixture f("failures: 9, failures_per_address: 1");
  f.b.from.text = "unix";
  f.attempt("401 Unauthorized", "", "username=alice");
  f.post("username=bob");
  CHECK(f.forwarded().starts_with("POST /login"));
}

TEST_CASE("a form that names two users is nobody's") {
  login_fixture f;
  f.post("username=alice&username=bob");
  CHECK(f.refused() == "bad_request");
  CHECK(f.forwarded().empty());
}

TEST_CASE("a form in chunks is read as a whole, and goes on as one chunk") {
  login_fixture f;
  auto const head = std::string(
      "POST /login HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
      "Content-Type: application/x-www-form-urlencoded\r\n\r\n");
  f.request(head + "4\r\nuser\r\n");
  CHECK(f.forwarded().empty());
  CHECK(f.b.shared.logins.now().in_flight == 0);
  REQUIRE(f.client.write("a\r\nname=alice\r\n0\r\n\r\n"));
  f.settle();
  auto const got = f.forwarded();
  CAPTURE(got);
  CHECK(body_of(got) == "e\r\nusername=alice\r\n0\r\n\r\n");
  f.answer("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
  CHECK(f.failures() == 1);
  CHECK(f.b.shared.failed_by_user.size() == 1);
}

TEST_CASE("a form that is too long to be one") {
  login_fixture f;
  auto const head = std::string("POST /login HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n");
  f.request(head);
  CHECK(f.refused() == "body_too_large");
  CHECK(f.forwarded().empty());
}

TEST_CASE("a form of two types, or coded, is nobody's") {
  auto const more = GENERATE(as<std::string>{}, "Content-Type: text/plain\r\n", "Content-Encoding: gzip\r\n");
  CAPTURE(more);
  login_fixture f;
  f.post("username=alice", "/login", more);
  CHECK(f.refused() == "bad_request");
}

TEST_CASE("who has gone is not let in, though its place came") {
  login_fixture f;
  REQUIRE(f.other.enter());
  f.post("username=alice");
  f.client.close();
  f.other.leave();
  f.settle();
  CHECK(f.refused() == "client_gone");
  CHECK(f.forwarded().empty());
  CHECK(f.b.shared.logins.now().in_flight == 0);
}

TEST_CASE("what the service says of an attempt is not for the client") {
  login_fixture f;
  f.post("username=alice");
  (void)f.forwarded();
  f.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDoorward-Attempt: failed\r\n\r\n");
  CHECK(f.received().find("Doorward") == std::string::npos);
}
