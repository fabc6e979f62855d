#include "app/supervisor.hpp"

#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "app/commands.hpp"
#include "app/usable_cores.hpp"
#include "doorward/admin/metrics_text.hpp"
#include "doorward/config/load.hpp"
#include "doorward/obs/log.hpp"

namespace doorward::app {
namespace {

using namespace std::chrono_literals;

// A worker answers between two requests; one that does not within this is not well, and is left out.
constexpr auto longest_answer = 1s;

obs::access_style style_of(config::log_format f) {
  switch (f) {
    case config::log_format::json: return obs::access_style::json;
    case config::log_format::text: return obs::access_style::colour;
    case config::log_format::automatic: break;
  }
  return ::isatty(STDOUT_FILENO) != 0 ? obs::access_style::colour : obs::access_style::json;
}

// What readiness goes by.
struct redis_state {
  bool ever_connected;
  bool connected;
  std::optional<redis::error_kind> trouble;
};

redis_state state_of(redis::client const& c) {
  return {c.ever_connected(), c.connected(), c.trouble()};
}

std::string reason(redis_state const& s) {
  std::string words = !s.ever_connected ? "redis has not been reached since start"
                      : !s.connected    ? "redis cannot be reached now"
                                        : "redis refuses what it is asked";
  if (s.trouble) words.append(" (").append(redis::name(*s.trouble)).append(")");
  return words;
}

std::string cannot(std::string const& address, error_code const& why) {
  // The resolver's own words ("authoritative", "try again later") are about name servers.
  bool const unresolved = why.category() == boost::asio::error::get_netdb_category();
  return address + ": " + (unresolved ? "host not found" : why.message());
}

}  // namespace

struct supervisor::crew {
  crew(unsigned number, unsigned count, supervisor& s)
      : worker(number, count, s.config_, s.shared_, s.writer_, style_of(s.config_.log.format)),
        listener(worker),
        work(worker.context.get_executor()) {}

  // What `f` says on the worker's own thread; nothing when it does not answer in time. The promise may outlive the
  // caller's wait.
  template <class F>
  auto ask(F f) -> std::optional<std::invoke_result_t<F, crew&>> {
    auto promise = std::make_shared<std::promise<std::invoke_result_t<F, crew&>>>();  // shared with the posted handler
    auto answer = promise->get_future();
    boost::asio::post(worker.context, [this, promise, f] { promise->set_value(f(*this)); });
    if (answer.wait_for(longest_answer) != std::future_status::ready) return std::nullopt;
    return answer.get();
  }

  runtime::worker worker;
  server::listener listener;
  std::vector<int> descriptors;  // to accept on, one a listener of the configuration; then the listener's
  boost::asio::executor_work_guard<net::executor> work;
  std::thread thread;
};

supervisor::supervisor(config::model m)
    : config_(std::move(m)), certificates_(config_.server), writer_(STDOUT_FILENO), shared_(config_) {}

supervisor::~supervisor() {
  stop();
}

bool supervisor::start(std::string& error) {
  for (auto const& where : config_.server.listen) {
    auto s = server::bound_socket::bind(where.address);
    if (!s) {
      error = "cannot listen on " + cannot(where.address.text, s.error());
      return false;
    }
    sockets_.push_back(std::move(*s));
  }

  auto const count = config_.server.workers == 0 ? usable_cores() : config_.server.workers;
  for (unsigned i = 0; i < count; ++i) {
    auto& c = *crews_.emplace_back(std::make_unique<crew>(i, count, *this));
    if (!c.worker.prepare(error)) return false;
    for (auto const& s : sockets_) {
      auto const fd = s.clone();
      if (!fd) {
        error = "cannot listen on " + cannot(s.address(), fd.error());
        return false;
      }
      c.descriptors.push_back(*fd);
    }
  }
  if (config_.admin.listen) {
    auto a = admin::server::start(
        *config_.admin.listen,
        {.ready = [this] { return ready(); },
         .metrics_text = [this] { return metrics_text(); },
         .config_json = [this] { return config::to_json(config_); },
         .sessions = {config_.admin.token, config_.redis, config_.session},
         .sessions_ended = [this](std::string_view user, std::uint64_t n) { sessions_ended(user, n); }});
    if (!a) {
      error = "cannot listen on " + cannot(config_.admin.listen->text, a.error());
      return false;
    }
    admin_ = std::move(*a);
  }

  // From here on nothing can fail; what had been begun before would have nobody to end it.
  for (auto& c : crews_) {
    c->worker.start();
    for (std::size_t i = 0; i < c->descriptors.size(); ++i)
      c->listener.accept_on(c->descriptors[i], i);
  }
  for (auto& c : crews_) {
    c->thread = std::thread([&crew = *c] {
      crew.worker.context.run();
      net::release_frames();
    });
  }

  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    auto const* const role = config_.server.listen[i].tls ? "https" : "http";
    obs::log::info("listening", {{"role", role}, {"address", sockets_[i].address()}, {"workers", count}});
  }
  if (admin_) obs::log::info("listening", {{"role", "admin"}, {"address", admin_->address()}});
  return true;
}

// Said once, not every ten seconds. `error` is empty where there is none, or none any more.
void supervisor::report_renewal(std::string const& error) {
  if (!error.empty() && error != renewal_error_) obs::log::error("certificates_kept", {{"reason", error}});
  renewal_error_ = error;
}

void supervisor::renew_certificates(milliseconds settled) {
  shared_.tickets->renew(steady::now());
  auto fresh = config::reread_certificates(certificates_, settled);
  if (!fresh.value) {
    report_renewal(fresh.error);
    return;
  }
  // An old ticket, or one that a handshake under way has yet to give out, would let a client in whose authority is
  // believed no more.
  auto tickets = shared_.tickets;
  if (fresh.value->clients.ca.content != certificates_.clients.ca.content)
    tickets = std::make_shared<net::ticket_keys>();
  std::string error;
  std::vector<std::shared_ptr<net::tls_server const>> made;  // one a worker, which is its only owner but handshakes
  for (std::size_t i = 0; i < crews_.size(); ++i) {
    made.push_back(runtime::make_tls_server(*fresh.value, tickets, error));
    if (made.back()) continue;
    report_renewal("server.tls" + error);
    return;
  }
  shared_.tickets = std::move(tickets);
  certificates_ = *std::move(fresh.value);
  report_renewal({});
  for (std::size_t i = 0; i < crews_.size(); ++i)
    boost::asio::post(crews_[i]->worker.context, [&worker = crews_[i]->worker, tls = std::move(made[i])]() mutable {
      worker.tls = std::move(tls);
    });
  obs::log::info("certificates_renewed");
}

void supervisor::announce_end() noexcept {
  ending_ = true;
}

void supervisor::drain() {
  // The kernel goes on handing connections to a socket that nobody accepts from; the first descriptors go too.
  sockets_.clear();
  for (auto& c : crews_)
    (void)c->ask([](crew& mine) {
      mine.listener.drain();
      return true;
    });
}

bool supervisor::drained() {
  bool all = true;
  for (auto& c : crews_)
    all = c->ask([](crew& mine) { return mine.listener.idle(); }).value_or(false) && all;
  return all;
}

void supervisor::stop() {
  if (stopped_) return;
  stopped_ = true;
  admin_.reset();
  shared_.logins.close();  // else a worker that has ended would hand its places to one that ends next
  for (auto& c : crews_) {
    if (!c->thread.joinable()) continue;
    boost::asio::post(c->worker.context, [&crew = *c] {
      crew.listener.drain();
      crew.listener.cut();
      crew.worker.stop();
      crew.work.reset();
    });
  }
  for (auto& c : crews_)
    if (c->thread.joinable()) c->thread.join();
  crews_.clear();
  writer_.stop();
}

admin::readiness supervisor::ready() {
  admin::readiness r{true, true, {}};
  if (ending_) {
    r.ready = false;
    r.reasons.emplace_back("shutting down");
  }
  for (auto& c : crews_) {
    auto const redis = c->ask([](crew& mine) { return state_of(mine.worker.redis); });
    if (!redis) {
      r.ready = false;
      r.reasons.emplace_back("a worker does not answer");
      break;
    }
    if (!redis->ever_connected || !redis->connected || redis->trouble) {
      r.ready = r.ready && redis->ever_connected;
      r.strict_ready = false;
      r.reasons.push_back(reason(*redis));
      break;
    }
  }
  r.strict_ready = r.strict_ready && r.ready;
  return r;
}

void supervisor::sessions_ended(std::string_view user, std::uint64_t count) {
  ended_by_admin_ += count;
  if (count > 0) shared_.revocations.of_user(user);
}

std::string supervisor::metrics_text() {
  admin::scrape all;
  all.metrics.session_ended(obs::end_reason::revoked, ended_by_admin_);
  for (auto& c : crews_) {
    auto const one = c->ask([](crew& mine) {
      auto const& touches = mine.worker.store.touches();
      auto metrics = mine.worker.metrics;
      metrics.touch(obs::touch_result::extended, touches.done);
      metrics.touch(obs::touch_result::gone, touches.gone);
      metrics.touch(obs::touch_result::error, touches.failed);
      return std::pair(std::move(metrics), mine.worker.gauges());
    });
    if (!one) continue;
    all.metrics += one->first;
    all.gauges += one->second;
  }
  if (!crews_.empty()) {
    for (auto const& r : crews_.front()->worker.view.routes)
      all.routes.push_back(r.config.id);
    for (auto const& u : config_.upstreams)
      all.upstreams.push_back(u.name);
  }
  auto const logins = shared_.logins.now();
  all.logins_in_flight = logins.in_flight;
  all.logins_queued = logins.queued;
  all.access_log_dropped = writer_.dropped();
  all.version = version_number();
  return admin::metrics_text(all);
}

}  // namespace doorward::app
