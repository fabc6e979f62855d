#include "doorward/pipeline/explain.hpp"

#include <fmt/format.h>

#include <boost/asio/basic_waitable_timer.hpp>
#include <ostream>

#include "app/commands.hpp"
#include "doorward/app/cli.hpp"
#include "doorward/net/async.hpp"

namespace doorward::app {
namespace {

// A request head as a browser would send it, from what was given on the command line.
std::string request_head(config::model const& m, explain_request const& r) {
  std::string host = "localhost";
  std::string target = r.url;
  if (auto const scheme = r.url.find("://"); scheme != std::string::npos) {
    auto const rest = r.url.substr(scheme + 3);
    auto const slash = rest.find('/');
    host = rest.substr(0, slash);
    target = slash == std::string::npos ? "/" : rest.substr(slash);
  }
  auto head = r.method + ' ' + target + " HTTP/1.1\r\nHost: " + host + "\r\n";
  for (auto const& h : r.headers)
    head += h + "\r\n";
  if (!r.session.empty()) head += "Cookie: " + m.session.cookie.name + '=' + r.session + "\r\n";
  return head + "\r\n";
}

net::task<> wait_for_redis(runtime::worker& w) {
  auto const until = steady::now() + w.view.config.redis.connect_timeout;
  while (!w.redis.connected() && steady::now() < until) {
    net::asio::basic_waitable_timer<steady, net::asio::wait_traits<steady>, net::executor> pause(w.context,
                                                                                                 milliseconds{5});
    co_await net::async<boost::system::error_code>([&](auto handler) { pause.async_wait(std::move(handler)); });
  }
}

net::task<> explain_on(runtime::worker& w, std::string head, pipeline::explanation& out) {
  co_await wait_for_redis(w);
  out = co_await pipeline::explain(w, std::move(head));
  w.stop();
}

}  // namespace

int explain(config::model const& m, explain_request const& r, std::ostream& out) {
  obs::log::init(obs::log::level::off, obs::log::format::text);
  obs::log_writer nowhere(-1);
  runtime::shared_state shared;
  runtime::worker w(0, 1, m, shared, nowhere, obs::access_style::json);
  w.start();
  pipeline::explanation told;
  net::spawn(explain_on(w, request_head(m, r), told));
  w.context.run();
  nowhere.stop();

  std::size_t width = 0;
  for (auto const& [what, found] : told.steps)
    width = std::max(width, what.size());
  for (auto const& [what, found] : told.steps)
    out << fmt::format("{:<{}}  {}\n", what, width, found);
  return done;
}

}  // namespace doorward::app
