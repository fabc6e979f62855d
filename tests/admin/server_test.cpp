#include "doorward/admin/server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "catch.hpp"
#include "doorward/admin/probe.hpp"
#include "doorward/base/errc.hpp"

using namespace doorward;
using namespace doorward::admin;

namespace {

sources make() {
  return {[] {
            return readiness{false, false, {"draining"}};
          },
          [] { return std::string("metric 1\n"); }, [] { return std::string("{}"); }};
}

config::endpoint loopback() {
  config::endpoint e;
  e.host = "127.0.0.1";
  return e;
}

/// A client of the loopback that says exactly what it is told to.
class client {
public:
  explicit client(std::string const& address) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    timeval const patience{5, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  client(client const&) = delete;
  client& operator=(client const&) = delete;
  ~client() { ::close(fd_); }

  void send(std::string const& text) { ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  std::string until_closed() {
    std::string all;
    std::array<char, 4096> some;
    for (ssize_t n = 0; (n = ::recv(fd_, some.data(), some.size(), 0)) > 0;)
      all.append(some.data(), static_cast<std::size_t>(n));
    return all;
  }
  std::string until(std::string const& end) {
    std::string all;
    char c = 0;
    while (!all.ends_with(end) && ::recv(fd_, &c, 1, 0) == 1)
      all += c;
    return all;
  }

private:
  int fd_;
};

}  // namespace

TEST_CASE("the listener says where it is, and answers there") {
  auto s = server::start(loopback(), make());
  REQUIRE(s.has_value());
  auto const& address = (*s)->address();
  REQUIRE(address.starts_with("127.0.0.1:"));
  CHECK_FALSE(address.ends_with(":0"));

  auto const live = probe("http://" + address + "/livez");
  REQUIRE(live.has_value());
  CHECK(live->status == 200);
  CHECK(live->body == "ok\n");
  auto const ready = probe("http://" + address + "/readyz");
  REQUIRE(ready.has_value());
  CHECK(ready->status == 503);
  CHECK(ready->body == "{\"ready\":false,\"reasons\":[\"draining\"]}\n");
  CHECK(probe("http://" + address)->status == 404);
}

TEST_CASE("two requests on one connection, and HEAD without a body") {
  auto s = server::start(loopback(), make());
  REQUIRE(s.has_value());
  client c((*s)->address());
  c.send("HEAD /metrics HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n");
  auto const head = c.until("\r\n\r\n");
  CHECK(head.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(head.find("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n") != std::string::npos);
  CHECK(head.find("Content-Length: 9\r\n") != std::string::npos);
  CHECK(head.find("Cache-Control: no-store\r\n") != std::string::npos);
  c.send("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
  auto const post = c.until_closed();
  CHECK(post.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
  CHECK(post.find("Allow: GET, HEAD\r\n") != std::string::npos);
}

TEST_CASE("what is too large or no request is refused and the connection closed") {
  struct row {
    std::string request;
    std::string answer;
  };
  auto const [request, answer] = GENERATE(values<row>({
      {"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", "HTTP/1.1 431 "},
      {"POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n", "HTTP/1.1 413 "},
      {"nonsense\r\n\r\n", "HTTP/1.1 400 "},
      {"GET /livez HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 400 "},
  }));
  auto s = server::start(loopback(), make());
  REQUIRE(s.has_value());
  client c((*s)->address());
  c.send(request);
  auto const text = c.until_closed();
  CAPTURE(request.substr(0, 40), text);
  CHECK(text.starts_with(answer));
  CHECK(probe("http://" + (*s)->address() + "/livez")->status == 200);
}

TEST_CASE("more clients than the limit: the last are closed at once, and others come in when some leave") {
  auto s = server::start(loopback(), make());
  REQUIRE(s.has_value());
  std::string const request = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
  std::vector<std::unique_ptr<client>> clients;
  for (std::size_t i = 0; i < server::most_connections; ++i) {
    clients.push_back(std::make_unique<client>((*s)->address()));
    clients.back()->send(request);
    REQUIRE(clients.back()->until("ok\n").ends_with("ok\n"));
  }
  client over((*s)->address());
  CHECK(over.until_closed().empty());
  clients.clear();
  auto answered = false;
  for (int i = 0; i < 100 && !answered; ++i) {
    client c((*s)->address());
    c.send(request);
    answered = c.until("ok\n").ends_with("ok\n");
    if (!answered) ::usleep(10'000);
  }
  CHECK(answered);
}

TEST_CASE("a unix socket") {
  char name[] = "/tmp/doorward-admin-XXXXXX";
  REQUIRE(::mkdtemp(name) != nullptr);
  config::endpoint where;
  where.type = config::endpoint::kind::unix_socket;
  where.path = std::string(name) + "/admin.sock";
  auto const url = "unix:" + where.path + ":/livez";
  {
    auto s = server::start(where, make());
    REQUIRE(s.has_value());
    CHECK((*s)->address() == "unix:" + where.path);
    CHECK(probe(url)->status == 200);
    // While one listens there, the path is its own.
    CHECK(server::start(where, make()).error() == boost::system::errc::address_in_use);
    CHECK(probe(url)->status == 200);
  }
  CHECK_FALSE(std::filesystem::exists(where.path));

  // One that ended without tidying up.
  auto const fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  where.path.copy(at.sun_path, sizeof at.sun_path - 1);
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  ::close(fd);
  {
    auto s = server::start(where, make());
    REQUIRE(s.has_value());
    CHECK(probe(url)->status == 200);
  }
  where.path += std::string(200, 'x');
  CHECK(server::start(where, make()).has_error());
  std::filesystem::remove_all(name);
}

TEST_CASE("a file that is no socket is not taken over") {
  char name[] = "/tmp/doorward-admin-XXXXXX";
  auto const fd = ::mkstemp(name);
  REQUIRE(fd >= 0);
  config::endpoint where;
  where.type = config::endpoint::kind::unix_socket;
  where.path = name;
  CHECK(server::start(where, make()).has_error());
  CHECK(std::filesystem::exists(name));
  ::close(fd);
  ::unlink(name);
}

TEST_CASE("a port that is taken") {
  auto const first = server::start(loopback(), make());
  REQUIRE(first.has_value());
  auto where = loopback();
  where.port = static_cast<std::uint16_t>(std::stoi((*first)->address().substr(10)));
  CHECK(server::start(where, make()).error() == boost::system::errc::address_in_use);
}

TEST_CASE("the listener ends with clients still connected") {
  auto s = server::start(loopback(), make());
  REQUIRE(s.has_value());
  client c((*s)->address());
  c.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /li");
  REQUIRE(c.until("ok\n").ends_with("ok\n"));
  s->reset();
  CHECK(c.until_closed().empty());
}

TEST_CASE("a probe of nothing, of nonsense, and of somebody silent") {
  CHECK(probe("ftp://x/").error() == errc::bad_request);
  CHECK(probe("http://").error() == errc::bad_request);
  CHECK(probe("http://x:/").error() == errc::bad_request);
  CHECK(probe("http://x/a b").error() == errc::bad_request);
  CHECK(probe("unix:").error() == errc::bad_request);
  CHECK(probe("unix:/tmp/s:livez").error() == errc::bad_request);
  CHECK(probe("unix:/nonexistent/s:/livez").error() == boost::system::errc::no_such_file_or_directory);

  auto const fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
  auto const url = "http://127.0.0.1:" + std::to_string(ntohs(at.sin_port)) + "/livez";
  CHECK(probe(url).error() == boost::system::errc::connection_refused);
  REQUIRE(::listen(fd, 1) == 0);
  CHECK(probe(url, milliseconds(50)).error() == boost::system::errc::timed_out);
  ::close(fd);
}

TEST_CASE("sessions are for whoever has the token, and Redis's silence is said") {
  auto from = make();
  from.sessions.token = redacted{"0123456789abcdef"};
  from.sessions.redis.server.type = config::endpoint::kind::unix_socket;
  from.sessions.redis.server.path = "/nowhere/redis.sock";
  auto s = server::start(loopback(), from);
  REQUIRE(s.has_value());
  auto const asked = [&](std::string const& request, std::string const& fields) {
    client c((*s)->address());
    c.send(request + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + "\r\n");
    return c.until_closed();
  };
  auto const refused = asked("GET /sessions?user=42", "");
  CHECK(refused.starts_with("HTTP/1.1 401 Unauthorized\r\n"));
  CHECK(refused.find("WWW-Authenticate: Bearer realm=\"doorward admin\"\r\n") != std::string::npos);
  std::string const bearer = "Authorization: Bearer 0123456789abcdef\r\n";
  CHECK(asked("GET /sessions?user=42", bearer + bearer).starts_with("HTTP/1.1 401 "));
  CHECK(asked("PUT /sessions?user=42", bearer).find("Allow: GET, HEAD, DELETE\r\n") != std::string::npos);
  for (auto const* request : {"GET /sessions?user=42", "DELETE /sessions?user=42",
                              "DELETE /sessions/abcdefghijklmnopqrstuv?user=42", "HEAD /sessions?user=42"}) {
    CAPTURE(request);
    auto const silent = asked(request, bearer);
    CHECK(silent.starts_with("HTTP/1.1 503 "));
    CHECK(silent.find("Retry-After: 1\r\n") != std::string::npos);
    CHECK(silent.ends_with("\r\n\r\n") == std::string(request).starts_with("HEAD"));
  }
}

TEST_CASE("sessions are for nobody where no token is configured") {
  auto s = server::start(loopback(), make());
  REQUIRE(s.has_value());
  auto const answer = probe("http://" + (*s)->address() + "/sessions?user=42");
  REQUIRE(answer.has_value());
  CHECK(answer->status == 403);
}
