#include <netinet/tcp.h>
#include <sys/stat.h>

#include <boost/asio/error.hpp>
#include <string>
#include <vector>

#include "catch.hpp"
#include "descriptor.hpp"
#include "doorward/server/listener.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace doorward;
using namespace doorward::test;
using server::bound_socket;

config::endpoint tcp(std::string host, std::uint16_t port = 0) {
  return {config::endpoint::kind::tcp, std::move(host), port, {}, false, {}};
}
config::endpoint unix_socket(std::string path) {
  return {config::endpoint::kind::unix_socket, {}, 0, std::move(path), false, {}};
}

bound_socket bound(config::endpoint const& where) {
  auto s = bound_socket::bind(where);
  INFO((s.has_error() ? s.error().message() : ""));
  REQUIRE(s.has_value());
  return std::move(*s);
}
int error_of(config::endpoint const& where) {
  auto const s = bound_socket::bind(where);
  return s.has_value() ? 0 : s.error().value();
}
descriptor clone_of(bound_socket const& s) {
  auto const fd = s.clone();
  REQUIRE(fd.has_value());
  return descriptor(*fd);
}
std::uint16_t port_of(bound_socket const& s) {
  return static_cast<std::uint16_t>(std::stoi(s.address().substr(s.address().rfind(':') + 1)));
}
int option(descriptor const& d, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(d.get(), level, name, &value, &size);
  return value;
}
// Whether anybody takes a connection there.
bool is_open(std::uint16_t port) {
  auto const c = tcp_connect(port);
  if (!c) return false;
  (void)c.wait(POLLOUT);
  return option(c, SOL_SOCKET, SO_ERROR) == 0;
}
std::size_t accept_all(std::vector<descriptor> const& listeners) {
  std::size_t n = 0;
  for (auto const& l : listeners)
    while (auto const c = accept(l))
      ++n;
  return n;
}

}  // namespace

TEST_CASE("port 0, a free one is found, and the address says which") {
  auto const s = bound(tcp("127.0.0.1"));
  CHECK(s.address().starts_with("127.0.0.1:"));
  CHECK(port_of(s) != 0);
  CHECK_FALSE(s.is_unix());
}

TEST_CASE("port 0, clones share the port that was found, and each connection goes to one of them") {
  auto const s = bound(tcp("127.0.0.1"));
  std::vector<descriptor> clones;
  for (int i = 0; i < 3; ++i)
    clones.push_back(clone_of(s));
  // The kernel spreads connections over all that listen. Would the first socket listen too, some of these would wait
  // there for ever.
  std::vector<descriptor> clients;
  for (int i = 0; i < 48; ++i) {
    clients.push_back(tcp_connect(port_of(s)));
    REQUIRE(clients.back());
    REQUIRE(clients.back().wait(POLLOUT));
  }
  CHECK(accept_all(clones) == clients.size());
}

TEST_CASE("without a clone nobody is let in") {
  auto const s = bound(tcp("127.0.0.1"));
  CHECK_FALSE(is_open(port_of(s)));
  {
    auto const clone = clone_of(s);
    CHECK(is_open(port_of(s)));
  }
  CHECK_FALSE(is_open(port_of(s)));
}

TEST_CASE("port taken, an error") {
  SECTION("by another program") {
    std::uint16_t port = 0;
    auto const other = tcp_listener(port);
    CHECK(error_of(tcp("127.0.0.1", port)) == EADDRINUSE);
  }
  SECTION("by another doorward, although it would share") {
    auto const first = bound(tcp("127.0.0.1"));
    auto const clone = clone_of(first);
    CHECK(error_of(tcp("127.0.0.1", port_of(first))) == EADDRINUSE);
  }
}

TEST_CASE("port free again, it can be had at once") {
  std::uint16_t port = 0;
  {
    auto const s = bound(tcp("127.0.0.1"));
    auto const clone = clone_of(s);
    port = port_of(s);
    auto const client = tcp_connect(port);
    REQUIRE(clone.wait(POLLIN));
    auto const served = accept(clone);  // closed here first: it lingers in TIME_WAIT
  }
  auto const again = bound(tcp("127.0.0.1", port));
  CHECK(port_of(again) == port);
  auto const clone = clone_of(again);
  CHECK(is_open(port));
}

TEST_CASE("host, by name and by no address") {
  CHECK(bound(tcp("localhost")).address().starts_with("localhost:"));
  // Longer than a label may be (RFC 1035 section 2.3.4), so that nobody is asked.
  CHECK(bound_socket::bind(tcp(std::string(64, 'a'))).error() == boost::asio::error::host_not_found);
  CHECK(error_of(tcp("198.51.100.1")) == EADDRNOTAVAIL);  // nobody's here
}

TEST_CASE("IPv6, its address has brackets, and [::] takes IPv4 too") {
  auto s = bound_socket::bind(tcp("::1"));
  if (!s) {
    // A machine without IPv6.
    CHECK((s.error().value() == EAFNOSUPPORT || s.error().value() == EADDRNOTAVAIL));
    return;
  }
  CHECK(s->address().starts_with("[::1]:"));
  auto const both = bound(tcp("::"));
  auto const clone = clone_of(both);
  CHECK(is_open(port_of(both)));
}

TEST_CASE("clones have what accepted connections inherit") {
  auto const s = bound(tcp("127.0.0.1"));
  int const fd = s.clone().value();
  auto const flags = ::fcntl(fd, F_GETFL);  // before the test's wrapper sets its own
  descriptor const clone(fd);
  CHECK((flags & O_NONBLOCK) != 0);
  CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  auto const client = tcp_connect(port_of(s));
  REQUIRE(clone.wait(POLLIN));
  auto const served = accept(clone);
  CHECK(option(served, IPPROTO_TCP, TCP_NODELAY) != 0);
  CHECK(option(served, SOL_SOCKET, SO_KEEPALIVE) != 0);
  CHECK(option(served, IPPROTO_TCP, TCP_KEEPIDLE) == 60);
  CHECK(option(served, IPPROTO_TCP, TCP_NOTSENT_LOWAT) == 128 * 1024);
}

TEST_CASE("Unix socket, clones share it") {
  temporary_folder const folder;
  auto const path = folder.file("s");
  auto const s = bound(unix_socket(path));
  CHECK(s.address() == "unix:" + path);
  CHECK(s.is_unix());
  std::vector<descriptor> clones;
  clones.push_back(clone_of(s));
  clones.push_back(clone_of(s));
  CHECK((::fcntl(clones[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
  std::vector<descriptor> clients;
  for (int i = 0; i < 5; ++i)
    clients.push_back(unix_connect(path));
  CHECK(accept_all(clones) == 5);
}

TEST_CASE("Unix socket, its file goes with it, and not before") {
  temporary_folder const folder;
  auto const path = folder.file("s");
  {
    auto first = bound(unix_socket(path));
    {
      auto const moved = std::move(first);
      CHECK(std::filesystem::exists(path));
    }
    CHECK_FALSE(std::filesystem::exists(path));
    auto const other = bound(unix_socket(path));
    // The one that was moved from has no say any more, wherever it ends.
    { auto const gone = std::move(first); }
    CHECK(std::filesystem::exists(path));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("Unix socket, left behind by somebody who was killed: replaced") {
  temporary_folder const folder;
  auto const path = folder.file("s");
  { auto const dead = unix_listener(path); }
  REQUIRE(std::filesystem::exists(path));
  auto const s = bound(unix_socket(path));
  auto const clone = clone_of(s);
  CHECK(unix_connect(path));
}

TEST_CASE("Unix socket, somebody listens: left to them") {
  temporary_folder const folder;
  auto const path = folder.file("s");
  auto const backlog = GENERATE(16, 0);
  auto const other = unix_listener(path, backlog);
  std::vector<descriptor> queued;
  if (backlog == 0)
    while (auto c = unix_connect(path))
      queued.push_back(std::move(c));  // too busy to take one more
  CHECK(error_of(unix_socket(path)) == EADDRINUSE);
  CHECK(std::filesystem::exists(path));
  while (auto const taken = accept(other)) {
  }
  CHECK(unix_connect(path));
}

TEST_CASE("Unix socket, the path is no socket's: left alone") {
  temporary_folder const folder;
  auto const path = folder.write("precious", "data");
  CHECK(error_of(unix_socket(path)) == EADDRINUSE);
  std::ifstream in(path);
  std::string text;
  in >> text;
  CHECK(text == "data");
}

TEST_CASE("Unix socket, a path that cannot be") {
  temporary_folder const folder;
  CHECK(error_of(unix_socket(folder.file("missing/s"))) == ENOENT);
  CHECK(error_of(unix_socket(folder.file(std::string(108, 'x')))) == ENAMETOOLONG);
}
