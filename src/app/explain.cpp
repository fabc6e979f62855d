#include "doorward/pipeline/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <ostream>

#include "app/commands.hpp"
#include "doorward/app/cli.hpp"
#include "doorward/base/encoding.hpp"
#include "doorward/net/async.hpp"

namespace doorward::app {
namespace {

// An id as Redis has it is signed here, by who has the keys; what has a signature, good or bad, is looked at as it is.
std::string cookie_value(config::cookie_config const& c, std::string const& session) {
  if (auto const encoded = runtime::encoded_ids_of(c); encoded.on()) {
    std::string id;
    bool const is_bare = !encoded.id_in(session, id) && http::is_session_id(session);
    return is_bare ? encoded.encode(session) : session;
  }
  auto const ids = runtime::signed_ids_of(c);
  return ids.find_trouble(session) == http::signature_trouble::missing ? ids.sign(session) : session;
}

// A request head as a browser would send it, from what was given on the command line.
std::string request_head(config::model const& m, explain_request const& r) {
  auto const is_host = [](std::string const& h) { return iequals(std::string_view(h).substr(0, h.find(':')), "host"); };
  bool const names_host = std::ranges::any_of(r.headers, is_host);
  std::string host = names_host ? "" : "localhost";
  std::string target = r.url;
  if (auto const scheme = r.url.find("://"); scheme != std::string::npos) {
    auto const rest = r.url.substr(scheme + 3);
    auto const slash = rest.find('/');
    host = rest.substr(0, slash);
    target = slash == std::string::npos ? "/" : rest.substr(slash);
  }
  auto head = r.method + ' ' + target + " HTTP/1.1\r\n";
  if (!host.empty()) head += "Host: " + host + "\r\n";
  for (auto const& h : r.headers)
    head += h + "\r\n";
  auto const& cookie = m.session.cookie;
  if (!r.session.empty()) head += "Cookie: " + cookie.name + '=' + cookie_value(cookie, r.session) + "\r\n";
  return head + "\r\n";
}

// Until it can be asked, or is known not to be. A connection that times out is known a moment after its time.
net::task<> wait_for_redis(runtime::worker& w) {
  auto const until = steady::now() + w.view.config.redis.connect_timeout + milliseconds{200};
  while (!w.redis.connected() && !w.redis.trouble() && steady::now() < until) {
    net::asio::basic_waitable_timer<steady, net::asio::wait_traits<steady>, net::executor> pause(w.context,
                                                                                                 milliseconds{5});
    co_await net::async<boost::system::error_code>([&](auto handler) { pause.async_wait(std::move(handler)); });
  }
}

net::task<> explain_on(runtime::worker& w, std::string head, std::string from, pipeline::explanation& out) {
  co_await wait_for_redis(w);
  out = co_await pipeline::explain(w, std::move(head), std::move(from));
  w.stop();
}

}  // namespace

int explain(config::model const& m, explain_request const& r, std::ostream& out) {
  obs::log::init(obs::log::level::off, obs::log::format::text);
  obs::log_writer nowhere(-1);
  runtime::shared_state shared(m);
  runtime::worker w(0, 1, m, shared, nowhere, obs::access_style::json);
  w.start(false);  // what Redis says, and no copy
  pipeline::explanation told;
  net::spawn(explain_on(w, request_head(m, r), r.from, told));
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
