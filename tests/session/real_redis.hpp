#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>
#include <string>

#include "../redis/fake_redis.hpp"

namespace doorward::test {

/// A redis-server of one's own, on a unix socket, which keeps nothing. What scripts do can only be seen there.
class real_redis {
public:
  real_redis() : path_(folder_.file("redis.sock")) {
    std::string const log = folder_.file("log");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", path_.c_str(), "--save", "", "--logfile",
               log.c_str(), static_cast<char*>(nullptr));
      ::_exit(127);
    }
    for (int i = 0; i < 400; ++i) {
      if (reachable()) return;
      ::usleep(10'000);
    }
    stop();
    throw std::runtime_error("redis-server does not start");
  }
  ~real_redis() { stop(); }
  real_redis(real_redis const&) = delete;
  real_redis& operator=(real_redis const&) = delete;

  [[nodiscard]] std::string const& path() const { return path_; }

private:
  [[nodiscard]] bool reachable() const {
    int const fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    bool const ok = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return ok;
  }
  void stop() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  temporary_folder folder_;
  std::string path_;
  pid_t pid_ = -1;
};

}  // namespace doorward::test
