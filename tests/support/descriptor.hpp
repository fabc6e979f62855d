#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace doorward::test {

/// The end of a connection that is not under test: an owned, non-blocking descriptor, used by plain system calls.
class descriptor {
public:
  descriptor() = default;
  explicit descriptor(int fd) : fd_(fd) {
    if (fd < 0) throw std::runtime_error(std::string("no descriptor: ") + std::strerror(errno));
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  }
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() { close(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void close() noexcept {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  /// False when the kernel did not take all of it.
  bool write(std::string_view bytes) const noexcept {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  /// Writes until the kernel takes no more; how many bytes that were.
  std::size_t fill() const noexcept {
    std::string const junk(64 * 1024, 'x');
    std::size_t all = 0;
    for (;;) {
      auto const n = ::send(fd_, junk.data(), junk.size(), MSG_NOSIGNAL);
      if (n < 0) return all;
      all += static_cast<std::size_t>(n);
    }
  }
  void end_sending() const noexcept { ::shutdown(fd_, SHUT_WR); }

  /// All there is to be read now.
  [[nodiscard]] std::string read() const {
    std::string all;
    std::array<char, 65536> piece;
    for (;;) {
      auto const n = ::recv(fd_, piece.data(), piece.size(), 0);
      if (n <= 0) return all;
      all.append(piece.data(), static_cast<std::size_t>(n));
    }
  }
  /// How one more attempt to read ends: "data", "nothing", "end", or the error's name.
  [[nodiscard]] std::string state() const {
    char byte;
    auto const n = ::recv(fd_, &byte, 1, MSG_PEEK);
    if (n > 0) return "data";
    if (n == 0) return "end";
    if (errno == EAGAIN) return "nothing";
    return errno == ECONNRESET ? "reset" : std::strerror(errno);
  }
  /// Waits a moment for something that is on its way through the kernel.
  bool wait(short events) const noexcept {
    pollfd p{fd_, events, 0};
    return ::poll(&p, 1, 2000) == 1;
  }

private:
  int fd_ = -1;
};

/// Two ends of a Unix stream connection.
inline std::pair<descriptor, descriptor> socket_pair() {
  std::array<int, 2> fds{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) throw std::runtime_error("socketpair");
  return {descriptor(fds[0]), descriptor(fds[1])};
}

inline sockaddr_un unix_address(std::string const& path) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  std::memcpy(a.sun_path, path.c_str(), path.size());
  return a;
}

inline descriptor unix_listener(std::string const& path, int backlog = 16) {
  descriptor d(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto const a = unix_address(path);
  if (::bind(d.get(), reinterpret_cast<sockaddr const*>(&a), sizeof a) != 0 || ::listen(d.get(), backlog) != 0)
    throw std::runtime_error("cannot listen on " + path);
  return d;
}

/// Connected, or nothing.
inline descriptor unix_connect(std::string const& path) {
  descriptor d(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  auto const a = unix_address(path);
  if (::connect(d.get(), reinterpret_cast<sockaddr const*>(&a), sizeof a) != 0) return {};
  return d;
}

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

/// A TCP socket bound to a free port of the loopback; it listens unless `backlog` is negative.
inline descriptor tcp_listener(std::uint16_t& port, int backlog = 16) {
  descriptor d(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto a = loopback(0);
  socklen_t size = sizeof a;
  if (::bind(d.get(), reinterpret_cast<sockaddr const*>(&a), size) != 0 || (backlog >= 0 && ::listen(d.get(), backlog)))
    throw std::runtime_error("cannot listen");
  ::getsockname(d.get(), reinterpret_cast<sockaddr*>(&a), &size);
  port = ntohs(a.sin_port);
  return d;
}

/// On its way, or connected.
inline descriptor tcp_connect(std::uint16_t port) {
  descriptor d(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  auto const a = loopback(port);
  if (::connect(d.get(), reinterpret_cast<sockaddr const*>(&a), sizeof a) != 0 && errno != EINPROGRESS) return {};
  return d;
}

/// The next connection of a listener, or nothing.
inline descriptor accept(descriptor const& listener) {
  int const fd = ::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return fd < 0 ? descriptor{} : descriptor(fd);
}

}  // namespace doorward::test
