// What a Redis server says: through the link, with hiredis in it, to a session's record. The first byte tells how many
// commands wait for an answer; the second where the rest is cut in two, because where a reply is cut must not matter.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "doorward/session/record.hpp"
#include "redis/link.hpp"
#include "require.hpp"

using namespace doorward;

namespace {

std::string const command = "*1\r\n$4\r\nPING\r\n";

// Everything a reply says, in words.
std::string told(redis::reply const& r) {
  auto out = std::to_string(static_cast<int>(r.type)) + (r.oversized ? "!" : "") + ":" + std::string(r.text) + ":" +
             std::to_string(r.integer);
  for (auto const& item : r.items)
    out += "[" + std::string(item) + "]";
  return out;
}

struct listening {
  listening() {
    auto const path = "/tmp/doorward-fuzz-" + std::to_string(::getpid());
    name.sun_family = AF_UNIX;
    require(path.size() < sizeof name.sun_path, "the name is short enough");
    std::memcpy(name.sun_path, path.data(), path.size());
    ::unlink(name.sun_path);
    require(::bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0 && ::listen(fd, 8) == 0, "a socket");
  }
  ~listening() {
    ::close(fd);
    ::unlink(name.sun_path);
  }
  sockaddr_un name{};
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

struct owner final : redis::link_owner {
  explicit owner(net::turn_queue& turns) : link(*this, turns) {}

  void on_open() noexcept override {
    for (; waiting < wanted; ++waiting)
      require(link.send(command), "an open link takes commands");
  }
  void on_reply(redis::reply const& r) noexcept override {
    require(waiting > 0, "nobody waits for this reply");
    --waiting;
    heard.push_back(told(r));
    std::vector<std::string> const extra{"plan"};
    static session::field_layout const layout{config::session_fields{}, extra};
    static session::record record{layout};
    if (session::decode(r, record) == session::outcome::found)
      require(!record.user().empty(), "a session that was found has a user");
    else
      require(record.user().empty(), "a session that was not found has nothing");
  }
  void on_no_reply(redis::error_kind) noexcept override {
    require(waiting > 0, "nobody waits");
    --waiting;
  }
  void on_closed(redis::error_kind, std::string_view) noexcept override { closed = true; }

  redis::link link;
  std::size_t wanted = 0;
  std::size_t waiting = 0;
  std::vector<std::string> heard;
  bool closed = false;
};

void run(net::asio::io_context& context) {
  context.restart();
  context.poll();
}

// What the link made of `said` by a server that hangs up after it.
std::vector<std::string> hear(std::size_t commands, std::initializer_list<std::string_view> said) {
  static listening const server;
  net::asio::io_context context(1);
  net::turn_queue turns(context);
  boost::intrusive_ptr<owner> const o(new owner(turns));
  o->wanted = commands;
  o->link.open_unix(server.name.sun_path);
  int const peer = ::accept4(server.fd, nullptr, nullptr, SOCK_CLOEXEC);
  require(peer >= 0, "a connection");
  run(context);
  for (auto const part : said) {
    if (!part.empty()) (void)!::send(peer, part.data(), part.size(), MSG_NOSIGNAL);
    run(context);
  }
  ::shutdown(peer, SHUT_WR);
  run(context);
  require(o->closed && o->waiting == 0, "all who wait are told");
  ::close(peer);
  return std::move(o->heard);
}

}  // namespace

int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 2) return 0;
  std::size_t const commands = data[0] % 5;
  auto const said = text(data + 2, size - 2);
  auto const cut = std::min<std::size_t>(data[1], said.size());
  auto const whole = hear(commands, {said});
  require(whole.size() <= commands, "more answers than questions");
  require(hear(commands, {said.substr(0, cut), said.substr(cut)}) == whole, "where it is cut does not matter");
  return 0;
}
