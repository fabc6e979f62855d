#include "doorward/runtime/worker.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <ctime>

namespace doorward::runtime {
namespace {

constexpr unsigned ticks_a_second = static_cast<unsigned>(1000 / deadline_wheel::tick.count());

std::string http_date(std::time_t now) {
  static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm t{};
  ::gmtime_r(&now, &t);
  std::array<char, 32> text{};
  auto const n = std::snprintf(
      text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[static_cast<std::size_t>(t.tm_wday)],
      t.tm_mday, months[static_cast<std::size_t>(t.tm_mon)], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
  return {text.data(), static_cast<std::size_t>(n)};
}

}  // namespace

std::shared_ptr<net::tls_server const> make_tls_server(config::server_config const& c,
                                                       std::shared_ptr<net::ticket_keys> tickets, std::string& error) {
  if (c.tls.empty()) return nullptr;
  net::tls_server_options options;
  for (auto const& one : c.tls)
    options.identities.push_back({one.cert.content.reveal(), one.key.content, one.ocsp.content.reveal(), one.names});
  options.client_ca_pem = c.clients.ca.content.reveal();
  options.client_required = c.clients.required;
  return net::tls_server::make(options, std::move(tickets), error);
}

class worker::redis_observer final : public redis::observer {
public:
  explicit redis_observer(worker const& w) noexcept : worker_(w) {}

  void on_connected(std::string_view server) noexcept override {
    obs::log::info("redis_connected", {{"server", server}, {"worker", worker_.number}});
  }
  void on_recovered(std::string_view server) noexcept override {
    obs::log::info("redis_recovered", {{"server", server}, {"worker", worker_.number}});
  }
  void on_trouble(redis::error_kind kind, std::string_view server, std::string_view detail) noexcept override {
    obs::log::error("redis_trouble", {{"kind", redis::name(kind)},
                                      {"server", server},
                                      {"detail", detail},
                                      {"hint", redis::hint(kind)},
                                      {"worker", worker_.number}});
  }

private:
  worker const& worker_;
};

// Asio's reactor needs no locks where one thread runs it; the scheduler keeps its own, because others post.
worker::worker(unsigned n, unsigned count, config::model const& m, shared_state& all, obs::log_writer& writer,
               obs::access_style style)
    : observer_(std::make_unique<redis_observer>(*this)),
      number(n),
      shared(all),
      context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      turns(context),
      wheel(steady::now()),
      view(m),
      redis(turns, view.config.redis, random, observer_.get()),
      store(redis, view.config.session),
      assertions(view.config.assertion, view.config.server.public_origin),
      envelopes(view.config.session.envelope),
      metrics(view.routes.size(), view.config.upstreams.size()),
      live(context, wheel, store, view.fields, view.config.session, metrics, all.revocations),
      access_log(writer, style),
      timer_(context) {
  for (auto const& u : view.config.upstreams)
    clusters_.push_back(std::make_unique<upstream::cluster>(context, turns, wheel, u, count));
}

worker::~worker() = default;

bool worker::prepare(std::string& error) {
  tls = make_tls_server(view.config.server, shared.tickets, error);
  if (!tls && !view.config.server.tls.empty()) {
    error.insert(0, "server.tls");
    return false;
  }
  for (auto& c : clusters_) {
    if (c->use_tls(error)) continue;
    error.insert(0, "upstreams." + c->config().name + ".tls: ");
    return false;
  }
  return true;
}

void worker::start() {
  date = http_date(std::time(nullptr));
  redis.start();
  for (auto& c : clusters_)
    net::spawn(c->resolve());
  tick();
}

void worker::stop() noexcept {
  stopped_ = true;
  timer_.cancel();
  redis.close();
  shared.logins.dismiss(turns);
  for (auto& c : clusters_) {
    c->retire();
    c->cut();
  }
  access_log.flush();
}

void worker::tick() {
  timer_.expires_after(deadline_wheel::tick);
  timer_.async_wait([this](boost::system::error_code const&) {
    if (stopped_) return;
    wheel.advance(steady::now());
    if (++ticks_ % 2 == 0) access_log.flush();
    if (ticks_ % ticks_a_second == 0) every_second();
    tick();
  });
}

void worker::every_second() {
  date = http_date(std::time(nullptr));
  for (auto& c : clusters_)
    c->sweep(wheel.now());
}

obs::worker_gauges worker::gauges() const {
  obs::worker_gauges g;
  g.connections_active = connections_active;
  g.connections_idle = connections_idle;
  g.connections_tunnel = connections_tunnel;
  g.streams_watched = live.streams();
  g.sessions_watched = live.sessions();
  for (auto const& c : clusters_)
    g.upstreams.push_back({c->open() - c->idle(), c->idle()});
  g.redis_connected = redis.connected() ? 1 : 0;
  g.redis_pending = redis.pending();
  auto const& stats = redis.stats();
  g.redis_reconnects = stats.reconnects;
  for (std::size_t i = 0; i < redis::error_kinds; ++i)
    g.redis_errors.push_back({redis::name(static_cast<redis::error_kind>(i)), stats.errors[i]});
  return g;
}

}  // namespace doorward::runtime
