#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "doorward/server/listener.hpp"

namespace doorward::server {
namespace {

constexpr int backlog = 4096;  // the kernel cuts it to net.core.somaxconn

error_code last_error() noexcept {
  return {errno, boost::system::system_category()};
}

void set(int fd, int level, int option, int value) noexcept {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

// `listening` false: holds the port without a share in its connections.
result<int> open_tcp(sockaddr const* address, socklen_t size, bool listening) {
  int const fd = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return last_error();
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  net::set_tcp_options(fd);  // inherited by what is accepted, which saves system calls on every connection
  if (address->sa_family == AF_INET6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (::bind(fd, address, size) != 0 || (listening && ::listen(fd, backlog) != 0)) {
    auto const ec = last_error();
    ::close(fd);
    return ec;
  }
  return fd;
}

// SO_REUSEPORT would let a second doorward join a port silently and take half of its connections. Binding once without
// it finds a port that is taken.
error_code port_is_free(sockaddr const* address, socklen_t size) {
  int const fd = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return last_error();
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address->sa_family == AF_INET6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  error_code ec;
  if (::bind(fd, address, size) != 0) ec = last_error();
  ::close(fd);
  return ec;
}

// The first address of a host's name. Waits for the answer: nothing is being served yet.
std::vector<char> resolved(config::endpoint const& where, error_code& ec) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  if (::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &wanted, &found) != 0) {
    ec = boost::asio::error::host_not_found;
    return {};
  }
  auto const* const bytes = reinterpret_cast<char const*>(found->ai_addr);
  std::vector<char> name(bytes, bytes + found->ai_addrlen);
  ::freeaddrinfo(found);
  return name;
}

std::vector<char> tcp_name(config::endpoint const& where, error_code& ec) {
  namespace ip = boost::asio::ip;
  error_code no_literal;
  auto const address = ip::make_address(where.host == "localhost" ? "127.0.0.1" : where.host, no_literal);
  if (no_literal) return resolved(where, ec);
  std::vector<char> name;
  if (address.is_v4()) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(where.port);
    a.sin_addr.s_addr = htonl(address.to_v4().to_uint());
    name.resize(sizeof a);
    std::memcpy(name.data(), &a, sizeof a);
  } else {
    sockaddr_in6 a{};
    a.sin6_family = AF_INET6;
    a.sin6_port = htons(where.port);
    auto const bytes = address.to_v6().to_bytes();
    std::memcpy(&a.sin6_addr, bytes.data(), bytes.size());
    name.resize(sizeof a);
    std::memcpy(name.data(), &a, sizeof a);
  }
  return name;
}

sockaddr* as_sockaddr(std::vector<char>& name) noexcept {
  return reinterpret_cast<sockaddr*>(name.data());
}

std::uint16_t bound_port(int fd) noexcept {
  sockaddr_storage a{};
  socklen_t size = sizeof a;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size);
  return ntohs(a.ss_family == AF_INET ? reinterpret_cast<sockaddr_in*>(&a)->sin_port
                                      : reinterpret_cast<sockaddr_in6*>(&a)->sin6_port);
}

void set_port(std::vector<char>& name, std::uint16_t port) noexcept {
  // Both families have it in the same place.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  auto const in_network_order = htons(port);
  std::memcpy(name.data() + offsetof(sockaddr_in, sin_port), &in_network_order, sizeof in_network_order);
}

bool somebody_listens(sockaddr_un const& name) noexcept {
  int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  auto const rc = ::connect(fd, reinterpret_cast<sockaddr const*>(&name), sizeof name);
  auto const refused = rc != 0 && (errno == ECONNREFUSED || errno == ENOENT);
  ::close(fd);
  return !refused;
}

result<int> listen_unix(std::string const& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path) return error_code(ENAMETOOLONG, boost::system::system_category());
  std::memcpy(name.sun_path, path.data(), path.size());

  // A socket left behind by a process that was killed would block the address for ever; a live one is somebody's.
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode) && !somebody_listens(name)) ::unlink(path.c_str());

  int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return last_error();
  if (::bind(fd, reinterpret_cast<sockaddr const*>(&name), sizeof name) != 0 || ::listen(fd, backlog) != 0) {
    auto const ec = last_error();
    ::close(fd);
    return ec;
  }
  return fd;
}

}  // namespace

result<bound_socket> bound_socket::bind(config::endpoint const& where) {
  bound_socket s;
  if (where.type == config::endpoint::kind::unix_socket) {
    auto const fd = listen_unix(where.path);
    if (!fd) return fd.error();
    s.fd_ = *fd;
    s.unlink_ = where.path;
    s.address_ = "unix:" + where.path;
    return s;
  }
  error_code ec;
  s.name_ = tcp_name(where, ec);
  if (ec) return ec;
  auto const size = static_cast<socklen_t>(s.name_.size());
  if (where.port != 0)
    if (ec = port_is_free(as_sockaddr(s.name_), size); ec) return ec;
  // The kernel spreads connections over every listening socket of the port, so only those that somebody accepts from
  // may listen: the clones.
  auto const fd = open_tcp(as_sockaddr(s.name_), size, false);
  if (!fd) return fd.error();
  s.fd_ = *fd;
  auto const port = bound_port(s.fd_);
  set_port(s.name_, port);  // clones bind to the port that was found
  auto const v6 = where.host.find(':') != std::string::npos;
  s.address_ = (v6 ? '[' + where.host + ']' : where.host) + ':' + std::to_string(port);
  return s;
}

bound_socket::bound_socket(bound_socket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      address_(std::move(other.address_)),
      unlink_(std::move(other.unlink_)),
      name_(std::move(other.name_)) {
  other.unlink_.clear();
}

bound_socket::~bound_socket() {
  if (fd_ >= 0) ::close(fd_);
  if (!unlink_.empty()) ::unlink(unlink_.c_str());
}

result<int> bound_socket::clone() const {
  if (is_unix()) {
    int const fd = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return last_error();
    return fd;
  }
  auto name = name_;
  return open_tcp(as_sockaddr(name), static_cast<socklen_t>(name.size()), true);
}

}  // namespace doorward::server
