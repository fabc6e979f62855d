// A fast application, so that the proxy in front of it is what is measured. One thread, epoll, HTTP/1.1 keep-alive.
//
//   GET or POST /        two bytes; a request's body is read first
//   GET /size/N          N bytes
//   GET /head            the request's head as it came
//   Upgrade: websocket   each small frame comes back
//
// Started with a port, the path of a unix socket, or both. Requests come from proxies and are well-formed.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

namespace {

using std::size_t, std::string, std::string_view;

struct connection {
  int fd = -1;
  bool listener = false, upgraded = false;
  size_t body_left = 0;  // of a request
  size_t answer = 0;     // the size to answer with when the body has been read
  string in, out;        // what is not complete yet, what the kernel did not take
};

int epoll_fd;
char buffer[256 * 1024];
string filler, date;

void watch(connection& c, int op, std::uint32_t events) {
  epoll_event e{};
  e.events = events;
  e.data.ptr = &c;
  epoll_ctl(epoll_fd, op, c.fd, &e);
}

void listen_on(int fd, const sockaddr* address, socklen_t size) {
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, address, size) != 0 || listen(fd, 4096) != 0) {
    std::perror("upstream: listen");
    std::exit(1);
  }
  auto* c = new connection;  // as long as the program
  c->fd = fd;
  c->listener = true;
  watch(*c, EPOLL_CTL_ADD, EPOLLIN);
}

void listen_tcp(int port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<std::uint16_t>(port));
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  listen_on(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), reinterpret_cast<sockaddr*>(&a), sizeof a);
}

void listen_unix(const char* path) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  std::snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
  unlink(path);
  listen_on(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), reinterpret_cast<sockaddr*>(&a), sizeof a);
  chmod(path, 0777);
}

void accept_all(connection& listener) {
  for (;;) {
    const int fd = accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // a unix socket says no, and needs none
    auto* c = new connection;                                  // deleted when it ends
    c->fd = fd;
    watch(*c, EPOLL_CTL_ADD, EPOLLIN);
  }
}

bool transmit(connection& c, string_view head, string_view body) {
  if (!c.out.empty()) {
    c.out.append(head).append(body);
    return true;
  }
  iovec parts[2] = {{const_cast<char*>(head.data()), head.size()}, {const_cast<char*>(body.data()), body.size()}};
  const auto n = writev(c.fd, parts, body.empty() ? 1 : 2);
  if (n < 0 && errno != EAGAIN) return false;
  const auto sent = n < 0 ? 0 : static_cast<size_t>(n);
  if (sent == head.size() + body.size()) return true;
  if (sent < head.size())
    c.out.append(head.substr(sent)).append(body);
  else
    c.out.append(body.substr(sent - head.size()));
  watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
  return true;
}

bool flush(connection& c) {
  const auto n = send(c.fd, c.out.data(), c.out.size(), MSG_NOSIGNAL);
  if (n < 0) return errno == EAGAIN;
  c.out.erase(0, static_cast<size_t>(n));
  if (c.out.empty()) watch(c, EPOLL_CTL_MOD, EPOLLIN);
  return true;
}

bool answer(connection& c, string_view body) {
  char head[256];
  const int n = std::snprintf(head, sizeof head,
                              "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: %s\r\nContent-Type: text/plain\r\n"
                              "Content-Length: %zu\r\n\r\n",
                              date.c_str(), body.size());
  return transmit(c, string_view(head, static_cast<size_t>(n)), body);
}

bool answer(connection& c) {
  if (filler.size() < c.answer) filler.resize(c.answer, 'x');
  return answer(c, string_view(filler).substr(0, c.answer));
}

string accept_value(string_view key) {
  const string text = string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, 4.2.2
  unsigned char digest[EVP_MAX_MD_SIZE], encoded[64];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  const int n = EVP_EncodeBlock(encoded, digest, static_cast<int>(size));
  return {reinterpret_cast<char*>(encoded), static_cast<size_t>(n)};
}

// The value of a header, whose name is given as "\r\nName:".
string_view header(const string& head, const char* name) {
  const char* at = strcasestr(head.c_str(), name);
  if (!at) return {};
  at += std::strlen(name);
  while (*at == ' ')
    ++at;
  return {at, std::strcspn(at, "\r")};
}

// Small frames that came whole are sent back without their mask.
bool echo(connection& c, string_view got) {
  c.in.append(got);
  while (c.in.size() >= 6) {
    const size_t n = c.in[1] & 0x7f;
    if (n > 125 || !(c.in[1] & 0x80)) return false;
    if (c.in.size() < 6 + n) return true;
    string frame{c.in[0], static_cast<char>(n)};
    for (size_t i = 0; i < n; ++i)
      frame += static_cast<char>(c.in[6 + i] ^ c.in[2 + i % 4]);
    c.in.erase(0, 6 + n);
    if (!transmit(c, frame, {})) return false;
  }
  return true;
}

// One request's head, which is whole.
bool take_head(connection& c, string_view text) {
  const string head(text);
  c.answer = 2;
  const auto target = head.find(' ') + 1;
  if (head.compare(target, 6, "/size/") == 0) c.answer = std::strtoul(head.c_str() + target + 6, nullptr, 10);
  if (head.compare(target, 6, "/head ") == 0) return answer(c, head);
  if (!header(head, "\r\nupgrade:").empty()) {
    c.upgraded = true;
    const string accept = accept_value(header(head, "\r\nsec-websocket-key:"));
    return transmit(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", "") &&
           transmit(c, "Sec-WebSocket-Accept: " + accept + "\r\n\r\n", "");
  }
  c.body_left = std::strtoul(string(header(head, "\r\ncontent-length:")).c_str(), nullptr, 10);
  return c.body_left > 0 || answer(c);
}

bool take(connection& c, string_view got) {
  while (!got.empty()) {
    if (c.upgraded) return echo(c, got);
    if (c.body_left > 0) {
      const auto n = std::min(c.body_left, got.size());
      got.remove_prefix(n);
      if ((c.body_left -= n) == 0 && !answer(c)) return false;
      continue;
    }
    string joined;
    if (!c.in.empty()) {
      joined = std::move(c.in);
      c.in.clear();
      got = joined.append(got);
    }
    const auto end = got.find("\r\n\r\n");
    if (end == string_view::npos) {
      c.in = got;
      return true;
    }
    if (!take_head(c, got.substr(0, end + 2))) return false;
    got.remove_prefix(end + 4);
    if (!joined.empty() && !got.empty()) return take(c, string(got));
  }
  return true;
}

bool serve(connection& c, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0 && !flush(c)) return false;
  if ((events & ~EPOLLOUT) == 0) return true;
  const auto n = recv(c.fd, buffer, sizeof buffer, 0);
  if (n <= 0) return n < 0 && errno == EAGAIN;
  return take(c, string_view(buffer, static_cast<size_t>(n)));
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  epoll_fd = epoll_create1(0);
  for (int i = 1; i < argc; ++i) {
    if (std::atoi(argv[i]) > 0)
      listen_tcp(std::atoi(argv[i]));
    else
      listen_unix(argv[i]);
  }
  epoll_event events[256];
  for (std::time_t said = 0;;) {
    const int n = epoll_wait(epoll_fd, events, 256, -1);
    if (const auto t = std::time(nullptr); t != said) {
      char text[64];
      std::tm parts{};
      std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&t, &parts));
      date = text;
      said = t;
    }
    for (int i = 0; i < n; ++i) {
      auto* c = static_cast<connection*>(events[i].data.ptr);
      if (c->listener)
        accept_all(*c);
      else if (!serve(*c, events[i].events)) {
        close(c->fd);
        delete c;
      }
    }
  }
}
