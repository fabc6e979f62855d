// The load generator. One thread, epoll, HTTP/1.1 keep-alive, with or without TLS.
//
// Closed loop (the default): each connection sends its next request when it has its answer. Open loop (--rate):
// requests are due at fixed times, whether or not the ones before are answered, and latency is counted from the time a
// request was due: a proxy that stalls is charged with everybody who would have come meanwhile.
//
// Every answer's status and length are checked; the first complaint is reported, and a run with errors is no figure.
//
// It opens its connections, has one request answered on each, says "ready" and waits for a line on stdin. Then it
// measures, prints one line of JSON, and keeps the connections open until stdin ends, so that whoever runs it can read
// the proxy's CPU time and memory at quiet moments.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connection.hpp"
#include "histogram.hpp"
#include "options.hpp"

namespace {

using std::size_t, std::string, std::string_view;

options opt;

int epoll_fd;
SSL_CTX* tls_context;
std::vector<std::unique_ptr<connection>> connections;
std::vector<connection*> free_ones;
std::deque<long> waiting;  // due times of requests for which no connection was free
size_t session_at = string::npos;
string head_and_body, frame_out, frame_in;
histogram latency;
long answered = 0, errors = 0, started = 0;
string complaint;
bool measuring = false;
char buffer[256 * 1024];  // of whatever is being read

long now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000L + t.tv_nsec;
}

unsigned next_random() {
  static unsigned x = 2463534242;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return x;
}

void watch(connection& c, bool out, int op = EPOLL_CTL_MOD) {
  if (op == EPOLL_CTL_MOD && c.watching_out == out) return;
  c.watching_out = out;
  epoll_event e{};
  e.events = EPOLLIN | (out ? EPOLLOUT : 0U);
  e.data.ptr = &c;
  epoll_ctl(epoll_fd, op, c.fd, &e);
}

void close_now(connection& c) {
  if (c.ssl) SSL_free(c.ssl);
  c.ssl = nullptr;
  if (c.fd >= 0) close(c.fd);
  c.fd = -1;
  c.upgraded = false;
  c.answer.clear();
}

void failed(connection& c, const string& what) {
  ++errors;
  if (complaint.empty()) complaint = what;
  close_now(c);
  c.at = phase::idle;
  if (opt.fresh) free_ones.push_back(&c);
}

void go_on(connection& c);

void open_connection(connection& c) {
  c.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(opt.port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(c.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS) {
    return failed(c, string("connect: ") + std::strerror(errno));
  }
  c.at = phase::connecting;
  watch(c, true, EPOLL_CTL_ADD);
}

// Sends what is due on this connection: a handshake first where a WebSocket is wanted, then frames; else the request.
void begin(connection& c, long due) {
  c.due = due;
  if (c.fd < 0) return open_connection(c);
  if (c.upgraded) {
    c.request = frame_out;
  } else {
    if (c.request.empty()) c.request = head_and_body;
    if (session_at != string::npos) {
      unsigned n = next_random() % opt.sessions;
      for (size_t i = session_at + 8; i-- > session_at; n /= 10)
        c.request[i] = static_cast<char>('0' + n % 10);
    }
  }
  c.sent = 0;
  c.at = phase::sending;
  go_on(c);
}

void answer_is_whole(connection& c) {
  if (opt.frame && !c.upgraded) {  // the handshake is no request
    c.upgraded = true;
    return begin(c, c.due);
  }
  ++answered;
  if (measuring) latency.add(static_cast<std::uint64_t>(now() - c.due));
  c.at = phase::idle;
  if (opt.fresh) close_now(c);
  free_ones.push_back(&c);
}

void check_frame(connection& c, string_view got) {
  if (c.answer.size() + got.size() < frame_in.size()) {
    c.answer.append(got);
    return;
  }
  const bool same = c.answer.empty() ? got == frame_in : c.answer.append(got) == frame_in;
  c.answer.clear();
  if (!same) return failed(c, "the echo is not what was sent");
  answer_is_whole(c);
}

void check_head(connection& c, string_view got) {
  if (!c.answer.empty()) got = c.answer.append(got);
  const auto end = got.find("\r\n\r\n");
  if (end == string_view::npos) {
    if (c.answer.empty()) c.answer = got;
    return;
  }
  const string head(got.substr(0, end + 2));
  const size_t behind = got.size() - end - 4;
  const int wanted = opt.frame ? 101 : opt.status;
  const int status = head.size() > 12 ? std::atoi(head.c_str() + 9) : 0;
  if (status != wanted) return failed(c, "status " + std::to_string(status) + " instead of " + std::to_string(wanted));
  const char* length = strcasestr(head.c_str(), "\r\ncontent-length:");
  if (!length && !opt.frame) return failed(c, "an answer without Content-Length");
  const long size = length ? std::atol(length + 17) : 0;
  if (opt.length >= 0 && size != opt.length && !opt.frame)
    return failed(c, "a body of " + std::to_string(size) + " bytes");
  if (behind > static_cast<size_t>(size)) return failed(c, "more than was asked for");
  c.left = static_cast<size_t>(size) - behind;
  c.answer.clear();
  c.at = phase::body;
  if (c.left == 0) answer_is_whole(c);
}

void go_on(connection& c) {
  if (c.at == phase::connecting) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) return failed(c, string("connect: ") + std::strerror(error));
    watch(c, false);
    if (!opt.tls) return begin(c, c.due);
    c.ssl = SSL_new(tls_context);
    SSL_set_fd(c.ssl, c.fd);
    SSL_set_tlsext_host_name(c.ssl, "bench.example");
    c.at = phase::handshake;
  }
  if (c.at == phase::handshake) {
    const int n = SSL_connect(c.ssl);
    if (n == 1) return begin(c, c.due);
    const int why = SSL_get_error(c.ssl, n);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return failed(c, "TLS handshake");
    return watch(c, why == SSL_ERROR_WANT_WRITE);
  }
  if (c.at == phase::sending) {
    while (c.sent < c.request.size()) {
      const long n = transmit(c, string_view(c.request).substr(c.sent));
      if (n < 0) return failed(c, "closed while a request was sent");
      if (n == 0) return watch(c, true);
      c.sent += static_cast<size_t>(n);
    }
    watch(c, false);
    c.at = phase::head;
    if (!c.ssl) return;  // the answer cannot be here yet; a TLS record could
  }
  do {
    const long n = receive(c, buffer, sizeof buffer);
    if (n < 0) return failed(c, "closed before the answer was whole");
    if (n == 0) return;
    const string_view got(buffer, static_cast<size_t>(n));
    if (c.at == phase::idle) return failed(c, "an answer nobody asked for");
    if (c.upgraded) {
      check_frame(c, got);
    } else if (c.at == phase::head) {
      check_head(c, got);
    } else if (got.size() > c.left) {
      return failed(c, "more than was asked for");
    } else if ((c.left -= got.size()) == 0) {
      answer_is_whole(c);
    }
  } while (c.ssl && SSL_pending(c.ssl) > 0);
}

void poll_for(long ns) {
  epoll_event events[256];
  timespec t{ns / 1'000'000'000, ns % 1'000'000'000};
  const int n = epoll_pwait2(epoll_fd, events, 256, &t, nullptr);
  for (int i = 0; i < n; ++i) {
    auto& c = *static_cast<connection*>(events[i].data.ptr);
    if (c.fd >= 0) go_on(c);
  }
}

connection* take() {
  auto* c = free_ones.back();
  free_ones.pop_back();
  return c;
}

// One request on each connection, a few at a time so that no listener's queue runs over.
void warm_up() {
  const long until = now() + 60'000'000'000;
  for (auto& c : connections) {
    while (started - answered - errors >= 64 && now() < until)
      poll_for(10'000'000);
    ++started;
    begin(*c, now());
  }
  while (answered + errors < started && now() < until)
    poll_for(10'000'000);
  if (errors || answered != started) {
    std::fprintf(stderr, "load: warming up: %ld of %ld answered: %s\n", answered, started, complaint.c_str());
    std::exit(1);
  }
  answered = started = 0;
}

// Returns the time it took.
long measure() {
  measuring = true;
  const long begun = now(), end = begun + static_cast<long>(opt.seconds * 1e9);
  const double interval = opt.rate > 0 ? 1e9 / opt.rate : 0;
  long due = begun;
  const auto more = [&](long t) { return opt.requests ? started < opt.requests : t < end; };
  for (long t = begun; more(t); t = now()) {
    if (opt.rate <= 0) {
      while (!free_ones.empty() && more(t)) {
        ++started;
        begin(*take(), now());
      }
      poll_for(opt.requests ? 1'000'000'000 : end - t);
      continue;
    }
    for (; due <= t && due < end; due = begun + static_cast<long>(static_cast<double>(started) * interval)) {
      ++started;
      waiting.push_back(due);
    }
    for (; !waiting.empty() && !free_ones.empty(); waiting.pop_front())
      begin(*take(), waiting.front());
    poll_for(std::max(0L, std::min(due, end) - now()));
  }
  const long over = now(), patience = over + 5'000'000'000;
  while (answered + errors < started && now() < patience) {
    poll_for(waiting.empty() ? 10'000'000 : 0);
    for (; !waiting.empty() && !free_ones.empty(); waiting.pop_front())
      begin(*take(), waiting.front());
  }
  if (answered + errors < started) {
    errors += started - answered - errors;
    if (complaint.empty()) complaint = "no answer within five seconds";
  }
  return now() - begun;
}

void prepare() {
  std::ifstream file(opt.head);
  head_and_body.assign(std::istreambuf_iterator<char>(file), {});
  if (head_and_body.find("\r\n\r\n") == string::npos) {
    std::fprintf(stderr, "load: %s holds no request\n", opt.head.c_str());
    std::exit(2);
  }
  session_at = head_and_body.find("########");
  head_and_body.append(opt.body, 'x');
  if (opt.frame) {
    const auto n = static_cast<char>(opt.frame);  // up to 125
    const char mask[4] = {'d', 'o', 'o', 'r'};
    frame_out = {'\x82', static_cast<char>(n | '\x80'), mask[0], mask[1], mask[2], mask[3]};
    frame_in = {'\x82', n};
    for (size_t i = 0; i < opt.frame; ++i) {
      frame_in += static_cast<char>('a' + i % 26);
      frame_out += static_cast<char>(frame_in.back() ^ mask[i % 4]);
    }
  }
  if (opt.tls) {
    tls_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(tls_context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }
  epoll_fd = epoll_create1(0);
  for (int i = 0; i < opt.connections; ++i)
    connections.push_back(std::make_unique<connection>());
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_TIMERSLACK, 1UL);  // the kernel may otherwise wake us 50 us late
  opt = read_options(argc, argv);
  prepare();
  warm_up();
  std::puts("ready");
  std::fflush(stdout);
  char line[16];
  if (!std::fgets(line, sizeof line, stdin)) return 0;
  const double took = static_cast<double>(measure()) / 1e9;
  std::printf(
      "{\"requests\": %ld, \"errors\": %ld, \"complaint\": \"%s\", \"seconds\": %.6f, \"p50\": %.1f, \"p99\": %.1f, "
      "\"p999\": %.1f, \"most\": %.1f}\n",
      answered, errors, complaint.c_str(), took, latency.quantile(0.5), latency.quantile(0.99), latency.quantile(0.999),
      latency.most());
  std::fflush(stdout);
  while (std::fgets(line, sizeof line, stdin)) {
  }
  return 0;
}
