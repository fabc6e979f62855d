#include "doorward/admin/probe.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "doorward/base/errc.hpp"

namespace doorward::admin {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::size_t most_bytes = 64 * 1024;

struct target {
  bool is_unix = false;
  std::string host;  ///< or the socket's file
  std::string port;
  std::string authority;
  std::string path;
};

std::optional<target> parse(std::string_view url) {
  auto const starts = [&](std::string_view prefix) {
    if (!url.starts_with(prefix)) return false;
    url.remove_prefix(prefix.size());
    return true;
  };
  target t;
  t.path = "/";
  if (starts("unix:")) {
    auto const colon = url.find(':');
    t.is_unix = true;
    t.host = url.substr(0, colon);
    t.authority = "localhost";
    if (colon != std::string_view::npos) t.path = url.substr(colon + 1);
  } else if (starts("http://")) {
    auto const slash = url.find_first_of("/?");
    t.authority = url.substr(0, slash);
    if (slash != std::string_view::npos) t.path = url.substr(slash);
    auto const bracket = t.authority.find(']');
    auto const colon = t.authority.find(':', bracket == std::string::npos ? 0 : bracket);
    t.host = t.authority.substr(0, colon);
    if (bracket != std::string::npos) t.host = t.authority.substr(1, bracket - 1);
    t.port = colon == std::string::npos ? "80" : t.authority.substr(colon + 1);
    if (t.port.empty()) return std::nullopt;
  } else {
    return std::nullopt;
  }
  auto const has_space = [](std::string const& s) { return s.find_first_of(" \t\r\n") != std::string::npos; };
  if (t.host.empty() || !t.path.starts_with('/') || has_space(t.host) || has_space(t.path)) return std::nullopt;
  return t;
}

std::string request_text(target const& t) {
  return "GET " + t.path + " HTTP/1.1\r\nHost: " + t.authority +
         "\r\nUser-Agent: doorward-probe\r\nConnection: close\r\n\r\n";
}

// Sends, and reads until the other side closes.
template <class Socket>
asio::awaitable<std::string> exchange(Socket& socket, std::string const& request) {
  co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
  std::string answer(most_bytes, '\0');
  std::size_t size = 0;
  while (size < most_bytes) {
    error_code ec;
    auto const n = co_await socket.async_read_some(asio::buffer(answer.data() + size, most_bytes - size),
                                                   asio::redirect_error(asio::use_awaitable, ec));
    if (ec == asio::error::eof) break;
    if (ec) throw boost::system::system_error(ec);
    size += n;
  }
  answer.resize(size);
  co_return answer;
}

asio::awaitable<std::string> get(asio::io_context& io, target const& t) {
  auto const request = request_text(t);
  if (t.is_unix) {
    asio::local::stream_protocol::socket socket(io);
    co_await socket.async_connect(asio::local::stream_protocol::endpoint(t.host), asio::use_awaitable);
    co_return co_await exchange(socket, request);
  }
  asio::ip::tcp::resolver resolver(io);
  auto const found = co_await resolver.async_resolve(t.host, t.port, asio::use_awaitable);
  asio::ip::tcp::socket socket(io);
  co_await asio::async_connect(socket, found, asio::use_awaitable);
  co_return co_await exchange(socket, request);
}

result<probe_answer> read_answer(std::string const& text) {
  http::response_parser<http::string_body> parser;
  parser.eager(true);
  parser.body_limit(most_bytes);
  error_code ec;
  parser.put(asio::buffer(text), ec);
  if (!parser.is_header_done()) return make_error_code(errc::upstream_bad_response);
  return probe_answer{parser.get().result_int(), parser.get().body()};
}

}  // namespace

result<probe_answer> probe(std::string_view url, milliseconds timeout) {
  auto const t = parse(url);
  if (!t) return make_error_code(errc::bad_request);
  // Errors come as exceptions out of the coroutine, and end here.
  try {
    asio::io_context io(1);
    std::optional<std::string> text;
    std::exception_ptr failed;
    asio::co_spawn(io, get(io, *t), [&](std::exception_ptr e, std::string s) {
      failed = std::move(e);
      text = std::move(s);
    });
    io.run_for(timeout);
    if (!text) return make_error_code(boost::system::errc::timed_out);
    if (failed) std::rethrow_exception(failed);
    return read_answer(*text);
  } catch (boost::system::system_error const& e) {
    return e.code();
  } catch (std::exception const&) {
    return make_error_code(errc::internal);
  }
}

}  // namespace doorward::admin
