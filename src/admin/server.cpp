#include "doorward/admin/server.hpp"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "admin/respond.hpp"
#include "admin/session_api.hpp"

namespace doorward::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

// One type for TCP and unix sockets: Beast's templates are compiled once.
using protocol = asio::generic::stream_protocol;
using socket = asio::basic_stream_socket<protocol, asio::io_context::executor_type>;
using stream = beast::basic_stream<protocol, asio::io_context::executor_type>;
using timer = asio::basic_waitable_timer<steady, asio::wait_traits<steady>, asio::io_context::executor_type>;
using acceptor = asio::basic_socket_acceptor<protocol, asio::io_context::executor_type>;

constexpr std::chrono::seconds patience{10};  ///< for a whole request, and for taking its answer
constexpr std::uint32_t most_header_bytes = 8 * 1024;
constexpr std::uint64_t most_body_bytes = 4 * 1024;
constexpr milliseconds accept_pause{100};

// The answer to what could not be read, where somebody is left to be told.
unsigned status_of(error_code const& ec) noexcept {
  if (ec == http::error::end_of_stream || ec == http::error::partial_message) return 0;
  if (ec == http::error::header_limit) return 431;
  if (ec == http::error::body_limit) return 413;
  return ec.category() == make_error_code(http::error::bad_method).category() ? 400 : 0;
}

using http_response = http::response<http::string_body>;

http_response to_http(response&& r, unsigned version, bool is_head, bool keep_alive) {
  http_response to(http::int_to_status(r.status), version);
  auto const set = [&to](http::field name, std::string_view value) {
    to.set(name, beast::string_view(value.data(), value.size()));
  };
  set(http::field::content_type, r.type);
  set(http::field::cache_control, "no-store");
  to.set("X-Content-Type-Options", "nosniff");
  if (!r.allow.empty()) set(http::field::allow, r.allow);
  if (!r.challenge.empty()) set(http::field::www_authenticate, r.challenge);
  if (r.retry_after > 0) set(http::field::retry_after, std::to_string(r.retry_after));
  to.keep_alive(keep_alive);
  to.content_length(r.body.size());
  if (!is_head) to.body() = std::move(r.body);
  return to;
}

std::string_view view(beast::string_view s) noexcept {
  return {s.data(), s.size()};
}

std::string to_text(protocol::endpoint const& at) {
  if (at.protocol().family() != AF_INET && at.protocol().family() != AF_INET6) return "unix";
  asio::ip::tcp::endpoint tcp;
  tcp.resize(at.size());
  std::memcpy(tcp.data(), at.data(), at.size());
  auto const host = tcp.address().to_string();
  return (tcp.address().is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(tcp.port());
}

/// One client's connection. Whatever it waits for owns it.
class session : public std::enable_shared_from_this<session> {
public:
  session(socket client, sources const& from, session_api& sessions, std::size_t& open)
      : client_(std::move(client)), from_(from), sessions_(sessions), open_(open) {
    ++open_;
  }
  session(session const&) = delete;
  session& operator=(session const&) = delete;
  ~session() { --open_; }

  void read() {
    parser_.emplace();
    parser_->header_limit(most_header_bytes);
    parser_->body_limit(most_body_bytes);
    client_.expires_after(patience);
    http::async_read(client_, buffer_, *parser_,
                     [self = shared_from_this()](error_code ec, std::size_t) { self->on_read(ec); });
  }

private:
  void on_read(error_code ec) {
    auto const& request = parser_->get();
    if (!ec && is_about_sessions(view(request.target()))) {
      net::spawn(about_sessions(shared_from_this()));
      return;
    }
    response r;
    if (ec) {
      r.status = status_of(ec);
      if (r.status == 0) return;
      r.type = "text/plain; charset=utf-8";
    } else {
      r = respond(from_, view(request.method_string()), view(request.target()));
    }
    write(std::move(r), ec);
  }

  // Nothing reads or writes meanwhile, so the request keeps still.
  static net::task<> about_sessions(std::shared_ptr<session> self) {
    auto const& request = self->parser_->get();
    session_request r{view(request.method_string()), view(request.target()), {}};
    if (request.count(http::field::authorization) == 1) r.authorization = view(request[http::field::authorization]);
    response answer = problem(500, "internal", "Something went wrong here.");
    try {
      auto client = self->client_address();
      auto found = co_await self->sessions_.answer(r, std::move(client));
      answer = std::move(found);
    } catch (std::exception const&) {
      // No memory, most likely.
    }
    self->write(std::move(answer), {});
  }

  std::string client_address() {
    error_code gone;
    auto const at = client_.socket().remote_endpoint(gone);
    return gone ? std::string{} : to_text(at);
  }

  void write(response&& r, error_code const& ec) {
    auto const& request = parser_->get();
    auto const again = !ec && request.keep_alive();
    answer_ = to_http(std::move(r), ec ? 11 : request.version(), request.method() == http::verb::head, again);
    client_.expires_after(patience);
    http::async_write(client_, answer_, [self = shared_from_this(), again](error_code failed, std::size_t) {
      if (!failed && again) self->read();
    });
  }

  stream client_;
  beast::flat_buffer buffer_{most_header_bytes + most_body_bytes};
  std::optional<http::request_parser<http::string_body>> parser_;
  http_response answer_;
  sources const& from_;
  session_api& sessions_;
  std::size_t& open_;
};

/// A unix socket's file that nobody listens on any more would make bind() fail for ever.
void remove_if_stale(asio::io_context& io, std::string const& path) {
  struct stat s {};
  if (::lstat(path.c_str(), &s) != 0 || !S_ISSOCK(s.st_mode)) return;
  asio::local::stream_protocol::socket probe(io);
  error_code ec;
  probe.connect({path}, ec);
  if (ec == asio::error::connection_refused) ::unlink(path.c_str());
}

protocol::endpoint resolve(asio::io_context& io, config::endpoint const& where, error_code& ec) {
  if (where.type == config::endpoint::kind::unix_socket) {
    if (where.path.size() < sizeof(sockaddr_un::sun_path)) return asio::local::stream_protocol::endpoint(where.path);
    ec = make_error_code(boost::system::errc::filename_too_long);
    return {};
  }
  if (auto const literal = asio::ip::make_address(where.host, ec); !ec)
    return asio::ip::tcp::endpoint(literal, where.port);
  asio::ip::tcp::resolver resolver(io);
  auto const found = resolver.resolve(where.host, std::to_string(where.port), asio::ip::tcp::resolver::passive, ec);
  if (ec) return {};
  return found.begin()->endpoint();
}

}  // namespace

class server::impl {
public:
  explicit impl(sources from) : from_(std::move(from)) {}
  impl(impl const&) = delete;
  impl& operator=(impl const&) = delete;

  ~impl() {
    // Whoever waits for Redis is resumed, and its frame freed, before the thread ends.
    asio::post(io_, [this] {
      error_code ignored;
      acceptor_.close(ignored);
      sessions_.close();
      asio::post(io_, [this] { io_.stop(); });
    });
    if (thread_.joinable()) thread_.join();
    if (!socket_file_.empty()) ::unlink(socket_file_.c_str());
  }

  error_code listen(config::endpoint const& where) {
    error_code ec;
    auto const at = resolve(io_, where, ec);
    if (ec) return ec;
    auto const is_unix = where.type == config::endpoint::kind::unix_socket;
    if (is_unix) remove_if_stale(io_, where.path);
    acceptor_.open(at.protocol(), ec);
    if (!ec && !is_unix) acceptor_.set_option(acceptor::reuse_address(true), ec);
    if (!ec) acceptor_.bind(at, ec);
    if (ec) return ec;
    if (is_unix) socket_file_ = where.path;
    acceptor_.listen(acceptor::max_listen_connections, ec);
    if (ec) return ec;
    address_ = is_unix ? "unix:" + where.path : to_text(acceptor_.local_endpoint(ec));
    return ec;
  }

  void run() {
    accept();
    if (!from_.sessions.token.empty()) sessions_.start();
    // The thread inherits the mask: signals are for the main thread.
    sigset_t all{};
    sigset_t before{};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] {
      io_.run();
      net::release_frames();
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  [[nodiscard]] std::string const& address() const noexcept { return address_; }

private:
  void accept() {
    acceptor_.async_accept(io_, [this](error_code ec, socket client) {
      if (ec == asio::error::operation_aborted) return;
      if (ec) {
        // Out of descriptors, most likely. Trying again at once would burn a core.
        pause_.expires_after(accept_pause);
        pause_.async_wait([this](error_code) { accept(); });
        return;
      }
      // Over the limit: closed by going out of scope.
      if (open_ < most_connections) std::make_shared<session>(std::move(client), from_, sessions_, open_)->read();
      accept();
    });
  }

  sources from_;
  std::size_t open_ = 0;  ///< outlives io_, whose end ends the sessions
  asio::io_context io_{1};
  session_api sessions_{io_, from_.sessions, from_};
  acceptor acceptor_{io_};
  timer pause_{io_};
  std::string address_;
  std::string socket_file_;
  std::thread thread_;
};

result<std::unique_ptr<server>> server::start(config::endpoint const& where, sources from) {
  auto i = std::make_unique<impl>(std::move(from));
  if (auto const ec = i->listen(where)) return ec;
  i->run();
  return std::unique_ptr<server>(new server(std::move(i)));
}

server::server(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
server::~server() = default;

std::string const& server::address() const noexcept {
  return impl_->address();
}

}  // namespace doorward::admin
