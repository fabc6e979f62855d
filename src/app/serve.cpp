#include <sys/resource.h>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <iostream>

#include "app/commands.hpp"
#include "app/supervisor.hpp"
#include "doorward/app/cli.hpp"
#include "doorward/obs/log.hpp"

namespace doorward::app {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto drain_poll = 50ms;

// Whoever renews certificates (certbot, cert-manager) does not know us. Reading a few files is cheap.
constexpr auto renewal_poll = 10s;
// A file that was written just now may be half of what it will be; on SIGHUP somebody says that it is whole.
constexpr auto settled_after = 1s;

obs::log::level level_of(config::log_level l) noexcept {
  switch (l) {
    case config::log_level::trace: return obs::log::level::trace;
    case config::log_level::debug: return obs::log::level::debug;
    case config::log_level::info: return obs::log::level::info;
    case config::log_level::warn: return obs::log::level::warn;
    case config::log_level::error: return obs::log::level::error;
    case config::log_level::off: break;
  }
  return obs::log::level::off;
}

obs::log::format format_of(config::log_format f) noexcept {
  switch (f) {
    case config::log_format::json: return obs::log::format::json;
    case config::log_format::text: return obs::log::format::text;
    case config::log_format::automatic: break;
  }
  return obs::log::format::automatic;
}

// What the main thread does: waits for signals, and takes the program down in steps.
//
//   first SIGTERM or SIGINT: not ready, serving goes on for drain_delay -> draining, at most `drain` -> end
//   a second one: end at once
class lifecycle {
public:
  lifecycle(asio::io_context& context, supervisor& s, config::server_timeouts const& t)
      : signals_(context, SIGTERM, SIGINT),
        hangup_(context, SIGHUP),
        timer_(context),
        renewal_(context),
        supervisor_(s),
        timeouts_(t) {
    wait_for_end();
    wait_for_hangup();
  }

  /// From now on renewed certificates are looked for.
  void watch_certificates() {
    renewal_.expires_after(renewal_poll);
    renewal_.async_wait([this](boost::system::error_code const& cancelled) {
      if (cancelled || finished_) return;
      supervisor_.renew_certificates(settled_after);
      watch_certificates();
    });
  }

private:
  void wait_for_end() {
    signals_.async_wait([this](boost::system::error_code const& ec, int signal) {
      if (ec) return;
      if (ending_) {
        obs::log::warn("ending_now", {{"signal", signal}});
        finish();
        return;
      }
      ending_ = true;
      obs::log::info("draining_soon", {{"signal", signal}, {"delay_ms", timeouts_.drain_delay.count()}});
      supervisor_.announce_end();
      timer_.expires_after(timeouts_.drain_delay);
      timer_.async_wait([this](boost::system::error_code const& cancelled) {
        if (!cancelled) drain();
      });
      wait_for_end();
    });
  }

  void wait_for_hangup() {
    hangup_.async_wait([this](boost::system::error_code const& ec, int) {
      if (ec || finished_) return;
      supervisor_.renew_certificates(0ms);
      obs::log::warn("reload_not_available",
                     {{"hint", "certificates are looked at again; restart to take up anything else that has changed"}});
      wait_for_hangup();
    });
  }

  void drain() {
    obs::log::info("draining", {{"at_most_ms", timeouts_.drain.count()}});
    give_up_ = std::chrono::steady_clock::now() + timeouts_.drain;
    supervisor_.drain();
    poll();
  }

  void poll() {
    if (supervisor_.drained() || std::chrono::steady_clock::now() >= give_up_) {
      finish();
      return;
    }
    timer_.expires_after(drain_poll);
    timer_.async_wait([this](boost::system::error_code const& cancelled) {
      if (!cancelled) poll();
    });
  }

  void finish() {
    finished_ = true;  // for handlers that are on their way already
    signals_.cancel();
    hangup_.cancel();
    timer_.cancel();
    renewal_.cancel();
  }

  asio::signal_set signals_;
  asio::signal_set hangup_;
  asio::steady_timer timer_;
  asio::steady_timer renewal_;
  supervisor& supervisor_;
  config::server_timeouts timeouts_;
  std::chrono::steady_clock::time_point give_up_;
  bool ending_ = false;
  bool finished_ = false;
};

// Shells like to set a low soft limit; every connection takes up to two descriptors.
void raise_descriptor_limit(std::size_t connections) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < 2 * connections)
    obs::log::warn("few_descriptors", {{"limit", static_cast<std::uint64_t>(limit.rlim_cur)},
                                       {"connections", connections},
                                       {"hint", "raise the open-files limit, or lower server.limits.connections"}});
}

}  // namespace

int serve(config::model m) {
  obs::log::init(level_of(m.log.level), format_of(m.log.format));
  raise_descriptor_limit(m.server.limits.connections);
  auto const timeouts = m.server.timeouts;
  bool const has_certificates = !m.server.tls.empty();
  // Before there are threads: a write to a closed socket or pipe is an error to be handled, not a signal to die of.
  std::signal(SIGPIPE, SIG_IGN);
  asio::io_context context(1);
  supervisor everything(std::move(m));
  lifecycle life(context, everything, timeouts);

  std::string error;
  if (!everything.start(error)) {
    std::cerr << "doorward: " << error << '\n';
    return could_not_run;
  }
  if (has_certificates) life.watch_certificates();
  context.run();
  everything.stop();
  obs::log::info("ended");
  return done;
}

}  // namespace doorward::app
