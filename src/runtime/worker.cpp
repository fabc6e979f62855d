#include "doorward/runtime/worker.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <ctime>

namespace doorward::runtime {
namespace {

constexpr unsigned ticks_a_second = static_cast<unsigned>(1000 / deadline_wheel::tick.count());

// Places given back a second, of copies nobody comes for: as many as do not hold anybody up.
constexpr std::size_t swept_a_second = 1000;

// A dead connection of the worker's own means changes that nobody hears of, so it is looked after as well as the feed.
redis::timing timing_for(config::session_config const& c) noexcept {
  redis::timing t;
  if (c.cache.enabled) t.ping_after = session::cache_keeper::ping_after;
  return t;
}

std::shared_ptr<session::near_cache> make_near(config::session_config const& c, unsigned workers) {
  if (!c.cache.enabled) return nullptr;
  return std::make_shared<session::near_cache>(c.cache.entries / workers, c.cache.max_age, c.lifetime);
}

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
      redis(turns, view.config.redis, random, observer_.get(), timing_for(view.config.session)),
      near(make_near(view.config.session, count)),
      store(redis, view.config.session, near),
      assertions(view.config.assertion, view.config.server.public_origin),
      envelopes(view.config.session.envelope),
      metrics(view.routes.size(), view.config.upstreams.size()),
      live(context, wheel, store, view.fields, view.config.session, metrics, all.revocations),
      access_log(writer, style),
      timer_(context) {
  if (near)
    keeper_ = std::make_unique<session::cache_keeper>(turns, wheel, redis, *near, view.config.redis, random, number);
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

void worker::start(bool copies) {
  date = http_date(std::time(nullptr));
  if (keeper_ && copies) keeper_->start();
  redis.start();
  for (auto& c : clusters_)
    net::spawn(c->resolve());
  tick();
}

void worker::stop() noexcept {
  stopped_ = true;
  timer_.cancel();
  if (keeper_) keeper_->stop();
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
  if (near) near->drop_old(wheel.now(), swept_a_second);
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
  if (near) {
    g.cache_ready = near->armed() ? 1 : 0;
    g.cache_entries = near->size();
    g.cache_invalidations = keeper_->invalidations();
  }
  auto const& stats = redis.stats();
  g.redis_reconnects = stats.reconnects;
  for (std::size_t i = 0; i < redis::error_kinds; ++i)
    g.redis_errors.push_back({redis::name(static_cast<redis::error_kind>(i)), stats.errors[i]});
  return g;
}

}  // namespace doorward::runtime
