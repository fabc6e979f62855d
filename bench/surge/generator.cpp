// People who use a site, in an open loop: each request is sent when it is due, whatever became of those before it, and
// its time is counted from then. One thread, one epoll.
//
//   generator --address HOST:PORT --people FILE --out FILE [--start SECONDS] [--back 1] [--rate N] ...   (schedule.hpp)
//
// Those of FILE who have a cookie ask for pages, in turn. Everybody logs in, in turn. With --back 1, those who are
// thrown out log in again and, when told to come later, come later. Who has waited for `patience` gives up.
//
// Each request becomes a line of the output: kind, microseconds since the start when it was due, was sent and ended,
// outcome. Kinds: `page`, `login`, `return` (an attempt to log in again), `back` (from thrown out to in again).
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <queue>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "answer.hpp"
#include "schedule.hpp"

namespace {

enum class kind { page, login, comeback };

struct request {
  kind what = kind::page;
  person* who = nullptr;
  double due = 0, sent = 0;
  int fd = -1;
  bool kept = false;   // on a connection that was there before
  std::string cookie;  // the one it was sent with
  std::string out, in;
  std::size_t written = 0;
};

class generator {
public:
  explicit generator(const options& given)
      : plan_(given),
        back_(given.number("back", 0) > 0),
        people_(read_people(given.text("people"))),
        epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    const auto& where = given.text("address");
    const auto colon = where.rfind(':');
    server_.sin_family = AF_INET;
    server_.sin_port = htons(static_cast<std::uint16_t>(std::stoi(where.substr(colon + 1))));
    inet_pton(AF_INET, where.substr(0, colon).c_str(), &server_.sin_addr);
    for (const auto& p : people_)
      members_ += p.cookie.empty() ? 0 : 1;
    start_ = given.number("start", monotonic());
  }

  // The lines.
  std::string run() {
    double next_page = 0, next_login = 0, next_look = 0;
    std::size_t pages = 0, logins = 0;
    while (true) {
      const double now = seconds();
      for (; next_page <= now && next_page < plan_.until; next_page = static_cast<double>(++pages) / plan_.rate) {
        ask(people_[pages % members_], next_page);
      }
      for (; next_login <= now && next_login < plan_.until; next_login = plan_.login_after(next_login)) {
        log_in(kind::login, people_[logins++ % people_.size()], next_login);
      }
      for (; !returns_.empty() && returns_.top().first <= now && now < plan_.until; returns_.pop()) {
        log_in(kind::comeback, *returns_.top().second, returns_.top().first);
      }
      if (now >= next_look) {
        give_up(now);
        next_look = now + 0.02;
      }
      if (now >= plan_.until && active_.empty()) {
        for (const auto& who : people_) {
          if (who.out_since >= 0) tell("back", who.out_since, who.out_since, now, "never");
        }
        return std::move(lines_);
      }
      double wake = next_look;
      if (now < plan_.until) wake = std::min({wake, next_page, next_login});
      if (now < plan_.until && !returns_.empty()) wake = std::min(wake, returns_.top().first);
      wait(std::max(0.0, wake - seconds()));
    }
  }

private:
  static double monotonic() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
  double seconds() const { return monotonic() - start_; }

  void tell(const char* what, double due, double sent, double end, const std::string& outcome) {
    char line[160];
    std::snprintf(line, sizeof line, "%s %.0f %.0f %.0f %s\n", what, due * 1e6, sent * 1e6, end * 1e6, outcome.c_str());
    lines_ += line;
  }

  // ---- asking ----

  void ask(person& who, double due) {
    if (who.out_since >= 0) return tell("page", due, due, due, "away");  // is logging in, and asks for nothing else
    begin(kind::page, who, due,
          "GET /orders HTTP/1.1\r\nHost: site.test\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\nCookie: sid=" +
              who.cookie + "\r\n\r\n");
  }

  void log_in(kind what, person& who, double due) {
    const std::string form = "username=" + who.login + "&password=" + who.password;
    begin(what, who, due,
          "POST /login HTTP/1.1\r\nHost: site.test\r\nOrigin: http://site.test\r\nAccept: text/html\r\n"
          "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
              std::to_string(form.size()) + "\r\n\r\n" + form);
  }

  void begin(kind what, person& who, double due, std::string bytes) {
    auto r = std::make_unique<request>();
    r->what = what;
    r->who = &who;
    r->due = due;
    r->sent = seconds();
    r->cookie = who.cookie;
    r->out = std::move(bytes);
    r->kept = who.idle >= 0;
    if (r->kept) {
      r->fd = std::exchange(who.idle, -1);
    } else {
      connect_for(*r);
    }
    const int fd = r->fd;
    active_[fd] = std::move(r);
    if (active_[fd]->kept) write(*active_[fd]);
  }

  void connect_for(request& r) {
    r.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (r.fd < 0) throw std::runtime_error(std::string("socket: ") + std::strerror(errno));
    const int on = 1;
    setsockopt(r.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(r.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr = r.who->address;
    if (bind(r.fd, reinterpret_cast<sockaddr*>(&from), sizeof from) != 0) {
      throw std::runtime_error(std::string("bind: ") + std::strerror(errno));
    }
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.fd = r.fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, r.fd, &event);
    static_cast<void>(connect(r.fd, reinterpret_cast<sockaddr*>(&server_), sizeof server_));  // epoll says how it went
  }

  // ---- what happens to connections ----

  void wait(double within) {
    const timespec time{static_cast<time_t>(within), static_cast<long>((within - std::floor(within)) * 1e9)};
    epoll_event events[64];
    const int count = epoll_pwait2(epoll_, events, 64, &time, nullptr);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      const bool readable = (events[i].events & ~static_cast<unsigned>(EPOLLOUT)) != 0;
      const auto found = active_.find(fd);
      if (found != active_.end()) {
        if (events[i].events & EPOLLOUT) write(*found->second);
        if (readable) read(*found->second);
      } else if (readable) {
        forget(fd);
      }
    }
  }

  // A kept connection on which something happens while nobody asks is one that was closed.
  void forget(int fd) {
    const auto found = std::find_if(people_.begin(), people_.end(), [fd](const person& p) { return p.idle == fd; });
    if (found != people_.end()) close(std::exchange(found->idle, -1));
  }

  static void write(request& r) {
    while (r.written < r.out.size()) {
      const auto n = send(r.fd, r.out.data() + r.written, r.out.size() - r.written, MSG_NOSIGNAL);
      if (n <= 0) return;  // a failure is seen by reading
      r.written += static_cast<std::size_t>(n);
    }
  }

  void read(request& r) {
    char block[16384];
    while (true) {
      const auto n = recv(r.fd, block, sizeof block, 0);
      if (n > 0) {
        r.in.append(block, static_cast<std::size_t>(n));
        continue;
      }
      if (n < 0 && errno == EAGAIN) break;
      if (whole_answer(r.in)) break;
      return lost(r);
    }
    if (const auto found = whole_answer(r.in)) answered(r, *found);
  }

  void lost(request& r) {
    if (!r.kept || !r.in.empty()) return end(r, "lost", false);
    // It had been closed before: once more, on a new one.
    auto again = std::move(active_[r.fd]);
    active_.erase(again->fd);
    close(again->fd);
    again->kept = false;
    again->written = 0;
    connect_for(*again);
    const int fd = again->fd;
    active_[fd] = std::move(again);
  }

  // ---- what came of it ----

  void answered(request& r, const answer& a) {
    std::string outcome = a.status == 503 ? "shed" : std::to_string(a.status);
    if (r.what == kind::page) {
      if (a.status == 200) outcome = a.body.starts_with("user " + r.who->id + "\n") ? "right" : "WRONG";
      if (a.status == 302 || a.status == 401) {
        outcome = "out";
        thrown_out(r);
      }
    } else if (a.status == 303 && !a.cookie.empty()) {
      outcome = "in";
      if (r.what == kind::comeback) back_in(*r.who, a.cookie);
    } else if (r.what == kind::comeback) {
      returns_.emplace(seconds() + std::max(a.retry_after, 0.1), r.who);
    }
    end(r, outcome, !a.close && !r.who->cookie.empty());
  }

  void thrown_out(const request& r) {
    auto& who = *r.who;
    if (!back_ || who.out_since >= 0 || r.cookie != who.cookie) return;
    who.out_since = seconds();
    returns_.emplace(who.out_since, &who);
  }

  void back_in(person& who, const std::string& cookie) {
    tell("back", who.out_since, who.out_since, seconds(), "in");
    who.cookie = cookie;
    who.out_since = -1;
  }

  void give_up(double now) {
    std::vector<request*> tired;
    for (const auto& [fd, r] : active_) {
      if (now - r->due > plan_.patience) tired.push_back(r.get());
    }
    for (auto* r : tired)
      end(*r, "gave-up", false);
  }

  void end(request& r, const std::string& outcome, bool keep) {
    static constexpr const char* names[] = {"page", "login", "return"};
    const double now = seconds();
    const int fd = r.fd;
    auto& who = *r.who;
    tell(names[static_cast<int>(r.what)], r.due, r.sent, now, outcome);
    if (r.what == kind::comeback && (outcome == "gave-up" || outcome == "lost")) returns_.emplace(now + 1, &who);
    active_.erase(fd);
    if (keep && who.idle < 0) {
      who.idle = fd;
    } else {
      close(fd);
    }
  }

  schedule plan_;
  bool back_;  // people who are thrown out come back
  std::vector<person> people_;
  std::size_t members_ = 0;
  sockaddr_in server_{};
  int epoll_;
  double start_ = 0;
  std::unordered_map<int, std::unique_ptr<request>> active_;  // by descriptor
  using appointment = std::pair<double, person*>;
  std::priority_queue<appointment, std::vector<appointment>, std::greater<>> returns_;
  std::string lines_;
};

}  // namespace

int main(int count, char** words) {
  options given;
  for (int i = 1; i + 1 < count; i += 2)
    given.given[std::string(words[i]).substr(2)] = words[i + 1];
  try {
    std::ofstream out(given.text("out"));
    out << generator(given).run();
    return out.flush() ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << "generator: " << e.what() << "\n";
    return 1;
  }
}
