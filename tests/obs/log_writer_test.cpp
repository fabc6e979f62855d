#include "doorward/obs/log_writer.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <string>
#include <thread>

#include "catch.hpp"

using namespace doorward;
using doorward::obs::log_writer;

namespace {

struct descriptors {
  int read = -1;
  int write = -1;
  ~descriptors() {
    close_read();
    close_write();
  }
  void close_read() {
    if (read >= 0) ::close(read);
    read = -1;
  }
  void close_write() {
    if (write >= 0) ::close(write);
    write = -1;
  }
};

void open_pipe(descriptors& d) {
  int fds[2];
  REQUIRE(::pipe(fds) == 0);
  d.read = fds[0];
  d.write = fds[1];
}

void open_socket(descriptors& d) {
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  d.read = fds[0];
  d.write = fds[1];
}

std::string read_all(int fd) {
  std::string all;
  std::array<char, 8192> some;
  for (ssize_t n = 0; (n = ::read(fd, some.data(), some.size())) > 0;)
    all.append(some.data(), static_cast<std::size_t>(n));
  return all;
}

std::string repeat(std::string const& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i)
    all += text;
  return all;
}

}  // namespace

TEST_CASE("lines of several workers do not mix") {
  auto const over_socket = GENERATE(false, true);
  descriptors d;
  over_socket ? open_socket(d) : open_pipe(d);
  std::string all;
  std::thread reader([&] { all = read_all(d.read); });
  {
    log_writer writer(d.write);
    std::vector<std::thread> workers;
    for (char w = 'a'; w < 'e'; ++w)
      workers.emplace_back([&writer, w] {
        std::string buffer;
        for (int i = 0; i < 50; ++i) {
          for (int k = 0; k < 20; ++k)
            (buffer += std::string(static_cast<std::size_t>(100 + i), w)) += '\n';
          writer.take(buffer);
          if (!buffer.empty()) return;
        }
      });
    for (auto& w : workers)
      w.join();
    writer.stop();
    CHECK(writer.dropped() == 0);
  }
  d.close_write();
  reader.join();
  CHECK(std::ranges::count(all, '\n') == 4 * 50 * 20);
  std::size_t mixed = 0;
  for (std::size_t from = 0; from < all.size();) {
    auto const line = std::string_view(all).substr(from, all.find('\n', from) - from);
    mixed += line.find_first_not_of(line.front()) != std::string_view::npos;
    from += line.size() + 1;
  }
  CHECK(mixed == 0);
}

TEST_CASE("a reader that does not read: the backlog is bounded, what is over it is counted, nobody waits") {
  auto const over_socket = GENERATE(false, true);
  descriptors d;
  over_socket ? open_socket(d) : open_pipe(d);
  auto const text = repeat(std::string(99, 'x') + '\n', 100);
  log_writer writer(d.write, 64 * text.size());
  auto const begin = steady::now();
  for (int i = 0; i < 400; ++i) {
    auto buffer = text;
    writer.take(buffer);
    REQUIRE(buffer.empty());
  }
  CHECK(steady::now() - begin < std::chrono::seconds(1));
  CHECK(writer.dropped() > 0);

  std::string all;
  std::thread reader([&] { all = read_all(d.read); });
  writer.stop();
  d.close_write();
  reader.join();
  CHECK(static_cast<std::uint64_t>(std::ranges::count(all, '\n')) + writer.dropped() == 400u * 100u);
}

TEST_CASE("a reader that has gone costs lines, not the process") {
  auto const over_socket = GENERATE(false, true);
  descriptors d;
  over_socket ? open_socket(d) : open_pipe(d);
  d.close_read();
  log_writer writer(d.write);
  auto buffer = repeat("line\n", 7);
  writer.take(buffer);
  writer.stop();
  CHECK(writer.dropped() == 7);
}

TEST_CASE("after a stop, lines are dropped and counted") {
  descriptors d;
  open_pipe(d);
  log_writer writer(d.write);
  writer.stop();
  writer.stop();
  std::string buffer = "a\nb\n";
  writer.take(buffer);
  CHECK(buffer.empty());
  CHECK(writer.dropped() == 2);
}

TEST_CASE("a pipe gets whole lines a write") {
  descriptors d;
  open_pipe(d);
  auto const line = std::string(1500, 'y') + '\n';
  auto const very_long = std::string(3 * PIPE_BUF, 'z') + '\n';
  {
    log_writer writer(d.write);
    auto buffer = repeat(line, 10) + very_long;
    writer.take(buffer);
    writer.stop();
  }
  d.close_write();
  CHECK(read_all(d.read) == repeat(line, 10) + very_long);
}

TEST_CASE("a file gets everything") {
  char name[] = "/tmp/doorward-log-XXXXXX";
  auto const fd = ::mkstemp(name);
  REQUIRE(fd >= 0);
  ::unlink(name);
  auto const text = repeat(std::string(99, 'f') + '\n', 2000);
  {
    log_writer writer(fd);
    for (int i = 0; i < 3; ++i) {
      auto buffer = text;
      writer.take(buffer);
    }
  }
  REQUIRE(::lseek(fd, 0, SEEK_SET) == 0);
  CHECK(read_all(fd) == text + text + text);
  ::close(fd);
}

TEST_CASE("the descriptor is full when the program ends: it ends all the same") {
  descriptors d;
  open_pipe(d);
  log_writer writer(d.write, log_writer::backlog, milliseconds(150));
  auto buffer = repeat(std::string(99, 'x') + '\n', 2000);
  writer.take(buffer);
  auto const begin = steady::now();
  writer.stop();
  CHECK(steady::now() - begin < std::chrono::seconds(1));
  CHECK(writer.dropped() > 0);
}

TEST_CASE("no descriptor at all: lines are counted, nobody waits") {
  auto const begin = steady::now();
  log_writer writer(-1);
  std::string buffer = "a\nb\n";
  writer.take(buffer);
  writer.stop();
  CHECK(writer.dropped() == 2);
  CHECK(steady::now() - begin < std::chrono::seconds(1));
}
