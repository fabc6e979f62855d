// The only file that sees Boost.URL.
#include "config/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "config/address.hpp"
#include "config/scalars.hpp"
#include "doorward/base/encoding.hpp"

namespace doorward::config {
namespace {

namespace urls = boost::urls;

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(), to_lower);
  return out;
}

// Boost.URL's own string types differ between versions; this is the one conversion.
template <class Text>
std::string_view view(Text const& text) {
  return {text.data(), text.size()};
}

// Host and port of a URL's authority, or what is wrong with them.
parsed<endpoint> authority_of(urls::url_view const& url, std::uint16_t default_port, std::string_view example) {
  auto const fix = fmt::format("for example `{}`", example);
  endpoint e;
  e.host = lower(view(url.encoded_host()));
  bool const bracketed = e.host.starts_with('[') && e.host.ends_with(']');
  if (bracketed) e.host = e.host.substr(1, e.host.size() - 2);
  if (e.host.empty()) return complaint{"the URL has no host", fix};
  if (bracketed ? !is_ipv6(e.host) : !is_host_name(e.host))
    return complaint{"the URL's host is not a name or address", fix};
  e.port = default_port;
  if (url.has_port()) {
    auto const port = port_number(view(url.port()));
    if (!port || *port == 0) return complaint{"the URL's port is a number from 1 to 65535", fix};
    e.port = *port;
  }
  e.text = endpoint_text(e);
  return e;
}

parsed<unsigned> database_number(std::string_view text) {
  auto const number = parse_integer(text);
  auto const* value = std::get_if<std::int64_t>(&number);
  if (!value || *value < 0 || *value > max_redis_database) {
    return complaint{fmt::format("the database is a number from 0 to {}", max_redis_database)};
  }
  return static_cast<unsigned>(*value);
}

parsed<redis_url> parse_redis_unix(urls::url_view const& url) {
  if (url.has_authority() && !view(url.encoded_authority()).empty()) {
    return complaint{"a unix socket has no host", "write `unix:///run/redis.sock`"};
  }
  redis_url out;
  auto server = parse_unix_path(url.path());
  if (auto* wrong = std::get_if<complaint>(&server)) {
    if (!wrong->suggestion.empty()) wrong->suggestion = "write `unix:///run/redis.sock`";
    return std::move(*wrong);
  }
  out.server = *std::get_if<endpoint>(&server);
  for (auto const& param : url.params()) {
    if (param.key == "db") {
      auto const database = database_number(param.value);
      if (auto const* wrong = std::get_if<complaint>(&database)) return *wrong;
      out.database = *std::get_if<unsigned>(&database);
    } else if (param.key == "username") {
      out.username = param.value;
    } else if (param.key == "password") {
      out.password = redacted{param.value};
    } else {
      return complaint{"the URL has a parameter that means nothing here",
                       "known here: `db`, `username` and `password`"};
    }
  }
  return out;
}

parsed<redis_url> parse_redis_tcp(urls::url_view const& url) {
  constexpr std::string_view example = "redis://127.0.0.1:6379/0";
  redis_url out;
  auto server = authority_of(url, 6379, example);
  if (auto* wrong = std::get_if<complaint>(&server)) return std::move(*wrong);
  out.server = *std::get_if<endpoint>(&server);
  if (url.has_query()) return complaint{"a redis:// URL has no parameters", fmt::format("for example `{}`", example)};
  if (auto const path = view(url.encoded_path()); path.size() > 1) {
    auto const database = database_number(path.substr(1));
    if (auto const* wrong = std::get_if<complaint>(&database)) return *wrong;
    out.database = *std::get_if<unsigned>(&database);
  }
  if (url.has_userinfo()) {
    if (auto user = std::string{url.user()}; !user.empty()) out.username = std::move(user);
    if (url.has_password()) out.password = redacted{std::string{url.password()}};
  }
  return out;
}

}  // namespace

parsed<redis_url> parse_redis_url(std::string_view text) {
  auto const url = urls::parse_uri(text);
  if (!url) {
    return complaint{
        "not a URL",
        "for example `redis://127.0.0.1:6379/0`; in user and password, reserved characters are written as %XX"};
  }
  if (url->has_fragment()) return complaint{"a `#` in a Redis URL means nothing", "in a password, write it as `%23`"};
  auto const scheme = lower(view(url->scheme()));
  if (scheme == "rediss") return complaint{not_available_yet, "use redis:// or a unix socket for now"};
  if (scheme == "unix") return parse_redis_unix(*url);
  if (scheme == "redis" && url->has_authority()) return parse_redis_tcp(*url);
  return complaint{"not a Redis URL", "it begins with `redis://` or `unix:///`"};
}

parsed<endpoint> parse_upstream_url(std::string_view text) {
  constexpr std::string_view example = "http://127.0.0.1:3000";
  if (text.starts_with(unix_prefix)) return parse_unix_path(text.substr(sizeof unix_prefix - 1));
  auto const url = urls::parse_uri(text);
  auto const scheme = url ? lower(view(url->scheme())) : std::string{};
  if ((scheme != "http" && scheme != "https") || !url->has_authority()) {
    bool const lacks_scheme = std::holds_alternative<endpoint>(parse_listen(text));
    return complaint{"not an upstream's URL: `http://host:port`, `https://host:port` or `unix:/path`",
                     lacks_scheme ? fmt::format("write `http://{}`", text) : fmt::format("for example `{}`", example)};
  }
  auto e = authority_of(*url, scheme == "https" ? 443 : 80, example);
  if (auto* wrong = std::get_if<complaint>(&e)) return std::move(*wrong);
  std::get_if<endpoint>(&e)->tls = scheme == "https";
  if (url->has_userinfo()) return complaint{"an upstream's URL has no user or password"};
  if (!view(url->encoded_path()).empty() || url->has_query() || url->has_fragment()) {
    return complaint{"an upstream's URL ends after the port",
                     fmt::format("write `{}://{}`; paths are changed by a route's `rewrite` or `strip_prefix`", scheme,
                                 std::get_if<endpoint>(&e)->text)};
  }
  return e;
}

parsed<std::string> parse_origin(std::string_view text) {
  constexpr std::string_view example = "https://app.example.com";
  if (text.empty()) return std::string{};
  auto const url = urls::parse_uri(text);
  auto const scheme = url ? lower(view(url->scheme())) : std::string{};
  if ((scheme != "http" && scheme != "https") || !url->has_authority()) {
    bool const lacks_scheme = is_host_name(text) || std::holds_alternative<endpoint>(parse_listen(text));
    return complaint{"not an origin: `https://host` or `https://host:port`",
                     lacks_scheme ? fmt::format("write `https://{}`", text) : fmt::format("for example `{}`", example)};
  }
  std::uint16_t const own_port = scheme == "https" ? 443 : 80;
  auto const parsed_authority = authority_of(*url, own_port, example);
  if (auto const* wrong = std::get_if<complaint>(&parsed_authority)) return *wrong;
  auto const& e = *std::get_if<endpoint>(&parsed_authority);
  bool const v6 = e.host.find(':') != std::string::npos;
  auto const host = v6 ? fmt::format("[{}]", e.host) : e.host;
  auto const origin =
      e.port == own_port ? fmt::format("{}://{}", scheme, host) : fmt::format("{}://{}", scheme, e.text);
  bool const more =
      url->has_userinfo() || !view(url->encoded_path()).empty() || url->has_query() || url->has_fragment();
  if (more) return complaint{"an origin is scheme, host and port, and nothing else", fmt::format("write `{}`", origin)};
  return origin;
}

}  // namespace doorward::config
