#include "doorward/obs/log_writer.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <utility>

namespace doorward::obs {
namespace {

constexpr std::size_t buffers_kept = 64;
constexpr int poll_ms = 50;

}  // namespace

log_writer::log_writer(int fd, std::size_t most, milliseconds patience)
    : fd_(fd), kind_(kind::file), most_(most), patience_(patience) {
  struct stat about {};
  // A descriptor that is none stays a file: its writes fail at once, and nothing waits for it.
  if (fstat(fd, &about) == 0) {
    if (S_ISFIFO(about.st_mode) || isatty(fd) == 1) kind_ = kind::pipe;
    if (S_ISSOCK(about.st_mode)) kind_ = kind::socket;
  }
  // The thread inherits the mask: signals are for the main thread, and SIGPIPE (sent to the thread that writes) for
  // nobody.
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void log_writer::take(std::string& buffer) {
  {
    std::lock_guard const lock(mutex_);
    if (!closed_ && waiting_bytes_ + buffer.size() <= most_) {
      waiting_bytes_ += buffer.size();
      waiting_.push_back(std::move(buffer));
      if (empty_.empty()) {
        buffer = {};
      } else {
        buffer = std::move(empty_.back());
        empty_.pop_back();
      }
      wake_.notify_one();
      return;
    }
  }
  drop(buffer);
  buffer.clear();
}

void log_writer::stop() {
  {
    std::lock_guard const lock(mutex_);
    if (!closed_) {
      closed_ = true;
      give_up_ = steady::now() + patience_;
      stopping_.store(true, std::memory_order_release);
    }
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void log_writer::run() {
  std::vector<std::string> batch;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) return;  // closed
    std::swap(batch, waiting_);
    for (auto& text : batch) {
      lock.unlock();
      write_out(text);
      auto const written = text.size();
      text.clear();
      lock.lock();
      waiting_bytes_ -= written;
      if (empty_.size() < buffers_kept) empty_.push_back(std::move(text));
    }
    batch.clear();
  }
}

void log_writer::write_out(std::string_view text) {
  if (torn_ && !text.empty()) {
    // The rest of that line is lost; what follows must not be read as its end.
    if (::write(fd_, "\n", 1) == 1) torn_ = false;
  }
  while (!text.empty()) {
    if (!wait_writable()) break;
    auto const size = piece(text);
    auto const n = kind_ == kind::socket ? ::send(fd_, text.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL)
                                         : ::write(fd_, text.data(), size);
    if (n > 0) {
      torn_ = text[static_cast<std::size_t>(n) - 1] != '\n';
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (n < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
      break;  // EPIPE, ENOSPC, EIO: this text is lost, the next one may do better
    }
  }
  drop(text);
}

// A descriptor that blocks would block for ever once its reader hangs, and stop() with it.
bool log_writer::wait_writable() {
  if (kind_ == kind::file) return true;
  for (;;) {
    pollfd p{fd_, POLLOUT, 0};
    auto const n = ::poll(&p, 1, poll_ms);
    if (n > 0 || (n < 0 && errno != EINTR)) return true;  // an error shows itself in the write
    if (stopping_.load(std::memory_order_acquire) && steady::now() >= give_up_) return false;
  }
}

// A writable pipe takes PIPE_BUF bytes without blocking and without mixing them with another writer's (pipe(7)); where
// the pieces end with a line, no line is mixed.
std::size_t log_writer::piece(std::string_view text) const noexcept {
  if (kind_ != kind::pipe || text.size() <= PIPE_BUF) return text.size();
  auto const newline = text.rfind('\n', PIPE_BUF - 1);
  return newline == std::string_view::npos ? std::size_t{PIPE_BUF} : newline + 1;
}

void log_writer::drop(std::string_view text) noexcept {
  auto const lines = std::ranges::count(text, '\n');
  if (lines > 0) dropped_.fetch_add(static_cast<std::uint64_t>(lines), std::memory_order_relaxed);
}

}  // namespace doorward::obs
