// The floor: what the task costs when nothing is checked. Two hops and one HGETALL a request, raw epoll, one thread.
// Requests and answers are passed on as they are; commands of all connections that were ready together leave in one
// write. Well-formed input only; never a proxy for anything but this bench.
//
//   relay PORT REDIS_PORT UPSTREAM_PORT

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace {

using std::size_t, std::string, std::string_view;

enum class role { listener, redis, client, upstream };

struct connection {
  int fd = -1;
  role is = role::client;
  string in;                   // a client's request; Redis's replies that are not whole
  connection* peer = nullptr;  // client and upstream, while they have to do with one another
  bool in_body = false, gone = false;
  size_t left = 0;  // of an answer's body
};

int epoll_fd, upstream_port;
connection redis;
string commands;
std::deque<connection*> asking;  // in the order of their commands
std::vector<connection*> idle;   // upstream connections
char buffer[256 * 1024];

void fail(const char* what) {
  std::fprintf(stderr, "relay: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

void watch(connection& c) {
  epoll_event e{};
  e.events = EPOLLIN;
  e.data.ptr = &c;
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c.fd, &e);
}

sockaddr_in local(int port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<std::uint16_t>(port));
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

void no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int connected(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const auto to = local(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) fail("connect");
  no_delay(fd);
  return fd;
}

// Waits where it is when the kernel takes no more, which answers of these sizes never make it do.
void transmit(int fd, string_view what) {
  while (!what.empty()) {
    const auto n = send(fd, what.data(), what.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) return;  // its reading side will tell
    if (n < 0) {
      pollfd p{fd, POLLOUT, 0};
      poll(&p, 1, 1000);
    } else {
      what.remove_prefix(static_cast<size_t>(n));
    }
  }
}

void ask(connection& c) {
  const auto at = c.in.find("sid=");
  if (at == string::npos) return;
  const string_view id = string_view(c.in).substr(at + 4, std::strcspn(c.in.c_str() + at + 4, ";\r"));
  char head[64];
  std::snprintf(head, sizeof head, "*2\r\n$7\r\nHGETALL\r\n$%zu\r\nsession:", id.size() + 8);
  commands.append(head).append(id).append("\r\n");
  asking.push_back(&c);
}

// The length of the array of strings at the front, or 0 when it is not whole.
size_t reply_length(string_view in) {
  size_t at = in.find("\r\n");
  if (in.empty() || at == string_view::npos) return 0;
  long n = std::atol(in.data() + 1);
  for (at += 2; n > 0; --n) {
    const auto line = in.find("\r\n", at);
    if (line == string_view::npos) return 0;
    at = line + 2 + static_cast<size_t>(std::atol(in.data() + at + 1)) + 2;
    if (at > in.size()) return 0;
  }
  return at;
}

void forward(connection& c) {
  if (c.gone) return;
  connection* up = nullptr;
  if (idle.empty()) {
    up = new connection;  // kept for ever
    up->fd = connected(upstream_port);
    up->is = role::upstream;
    watch(*up);
  } else {
    up = idle.back();
    idle.pop_back();
  }
  up->peer = &c;
  c.peer = up;
  transmit(up->fd, c.in);
  c.in.clear();
}

void from_redis(string_view got) {
  if (!redis.in.empty()) got = redis.in.append(got);
  size_t n = 0;
  while ((n = reply_length(got)) > 0) {
    forward(*asking.front());
    asking.pop_front();
    got.remove_prefix(n);
  }
  redis.in = string(got);
}

void from_upstream(connection& up, string_view got) {
  connection* client = up.peer;
  if (!client) fail("an answer nobody asked for");
  if (!client->gone) transmit(client->fd, got);
  if (!up.in_body) {
    const auto end = got.find("\r\n\r\n");
    const auto length = got.find("Content-Length: ");
    if (end == string_view::npos || length == string_view::npos) fail("an answer of another kind");
    up.left = std::strtoul(got.data() + length + 16, nullptr, 10);
    got.remove_prefix(end + 4);
    up.in_body = true;
  }
  up.left -= got.size();
  if (up.left > 0) return;
  up.in_body = false;
  up.peer = client->peer = nullptr;
  idle.push_back(&up);
}

void serve(connection& c) {
  if (c.is == role::listener) {
    for (int fd = 0; (fd = accept4(c.fd, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      no_delay(fd);
      auto* client = new connection;  // a few hundred at most in a run
      client->fd = fd;
      watch(*client);
    }
    return;
  }
  const auto n = recv(c.fd, buffer, sizeof buffer - 1, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    if (c.is != role::client) fail("closed");
    close(c.fd);
    c.gone = true;
    return;
  }
  buffer[n] = 0;
  const string_view got(buffer, static_cast<size_t>(n));
  if (c.is == role::redis) return from_redis(got);
  if (c.is == role::upstream) return from_upstream(c, got);
  c.in.append(got);
  if (c.in.find("\r\n\r\n") != string::npos) ask(c);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  std::signal(SIGPIPE, SIG_IGN);
  epoll_fd = epoll_create1(0);
  upstream_port = std::atoi(argv[3]);
  redis.fd = connected(std::atoi(argv[2]));
  redis.is = role::redis;
  watch(redis);
  connection listener;
  listener.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  listener.is = role::listener;
  const int on = 1;
  setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto at = local(std::atoi(argv[1]));
  if (bind(listener.fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || listen(listener.fd, 4096) != 0)
    fail("listen");
  watch(listener);
  epoll_event events[256];
  for (;;) {
    const int n = epoll_wait(epoll_fd, events, 256, -1);
    for (int i = 0; i < n; ++i)
      serve(*static_cast<connection*>(events[i].data.ptr));
    if (!commands.empty()) {
      transmit(redis.fd, commands);
      commands.clear();
    }
  }
}
