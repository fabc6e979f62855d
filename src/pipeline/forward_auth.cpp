// A proxy in front asks what becomes of a request that it has. The stages judge that one as if it had come here.
#include <algorithm>
#include <array>
#include <optional>

#include "doorward/auth/request_checks.hpp"
#include "doorward/http/host.hpp"
#include "doorward/http/token.hpp"
#include "doorward/obs/log.hpp"
#include "pipeline/own.hpp"
#include "pipeline/stages.hpp"

namespace doorward::pipeline {
namespace {

using runtime::route_target;

constexpr std::size_t longest_method = 32;

/// What the proxy says. Two families of names are in use; nothing else of the question tells what it is about.
enum told : std::size_t {
  forwarded_method,
  forwarded_uri,
  forwarded_host,
  forwarded_proto,
  original_method,
  original_uri,
  original_url,
  original_host,
};
constexpr std::array<std::string_view, 8> names{
    "X-Forwarded-Method", "X-Forwarded-Uri", "X-Forwarded-Host", "X-Forwarded-Proto",
    "X-Original-Method",  "X-Original-URI",  "X-Original-URL",   "X-Original-Host",
};

/// Method, target and host of the request in question.
struct original {
  std::string_view method;
  std::string_view target;
  std::string_view host;    ///< as written, maybe with a port
  std::string_view scheme;  ///< "http", "https" or empty
};

// A name that one of the reserved ones is spelt by for servers that make one character of all but letters and digits.
// A proxy that clears X-User-Id lets X_User_Id through. In a request that stays with the proxy it cannot be taken out.
bool is_alias(http::field_line const& f, http::reserved_names const& reserved) {
  auto const plain = [](char c) {
    return c == '-' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  };
  return !std::ranges::all_of(f.name, plain) && reserved.contains(f.name);
}

class question_reader {
public:
  // What is wrong with the question; empty when it is fine. All that is said of one thing has to be the same: a proxy
  // that writes one family of names passes on what its client wrote in the other.
  std::string_view read(http::request_head const& head, http::reserved_names const& reserved, original& out) {
    for (auto const& f : head.fields) {
      if (is_alias(f, reserved)) return "a header has another spelling of a reserved name";
      if (f.id != http::field_id::other) continue;
      auto const name = std::ranges::find_if(names, [&](auto n) { return iequals(n, f.name); });
      if (name == names.end()) continue;
      auto& value = values_[static_cast<std::size_t>(name - names.begin())];
      if (value) return "a header that tells of the request came twice";
      value = f.value;
    }
    if (auto why = split_url(); !why.empty()) return why;
    if (!agree(forwarded_method, original_method, out.method)) return "the headers name different methods";
    if (!agree(forwarded_uri, original_uri, out.target) || !agree(original_url, out.target))
      return "the headers name different addresses";
    if (!agree(forwarded_host, original_host, out.host) || !agree_on_host(url_host_, out.host))
      return "the headers name different hosts";
    if (out.target.empty()) return "neither X-Forwarded-Uri nor X-Original-URI came";
    if (out.method.empty()) return "neither X-Forwarded-Method nor X-Original-Method came";
    if (out.host.empty()) return "X-Forwarded-Host did not come";
    if (auto const proto = values_[forwarded_proto]; proto == "http" || proto == "https") out.scheme = *proto;
    return {};
  }

private:
  // X-Original-URL is a path to some, and to others the whole address.
  std::string_view split_url() {
    auto& url = values_[original_url];
    if (!url || url->starts_with('/')) return {};
    auto const scheme_end = url->find("://");
    auto const scheme = url->substr(0, scheme_end);
    if (scheme_end == url->npos || (!iequals(scheme, "http") && !iequals(scheme, "https")))
      return "X-Original-URL is no address";
    auto const rest = url->substr(scheme_end + 3);
    auto const slash = rest.find('/');
    if (slash == rest.npos || slash == 0) return "X-Original-URL is no address";
    url_host_ = rest.substr(0, slash);
    url = rest.substr(slash);
    return {};
  }

  // False when `out` is another one. An empty value says something too, and is not what anybody else says.
  static bool agree(std::optional<std::string_view> const& said, std::string_view& out) {
    if (!said) return true;
    if (out.data() != nullptr && out != *said) return false;
    out = *said;
    return true;
  }
  bool agree(told one, std::string_view& out) const { return agree(values_[one], out); }
  bool agree(told one, told other, std::string_view& out) const {
    return agree(values_[one], out) && agree(values_[other], out);
  }
  static bool agree_on_host(std::optional<std::string_view> const& said, std::string_view& out) {
    if (said && out.data() != nullptr && iequals(out, *said)) return true;
    return agree(said, out);
  }

  std::array<std::optional<std::string_view>, names.size()> values_;
  std::optional<std::string_view> url_host_;
};

bool is_method(std::string_view token) {
  return token.size() <= longest_method &&
         std::ranges::all_of(token, [](char c) { return http::is_token_byte(static_cast<unsigned char>(c)); });
}

// Whoever sets up the proxy has to see why. Nothing of the request is told.
result<void> refuse_question(exchange& x, errc why, std::string_view reason) {
  x.worker.limiter.write(x.worker.wheel.now(), obs::log::level::warn, "forward_auth_refused",
                         {{"peer", x.client->from.text}, {"reason", reason}});
  return why;
}

// From here on the exchange is about the request that the proxy has.
result<void> turn_to_original(exchange& x) {
  original o;
  question_reader reader;
  if (auto const why = reader.read(x.head, x.view().reserved, o); !why.empty())
    return refuse_question(x, errc::bad_request, why);
  auto const verb = http::method_of(o.method);
  if (!is_method(o.method) || verb == http::method::connect) return errc::bad_request;
  if (o.target.size() > x.view().limits.target_bytes) return errc::target_too_long;
  std::string host;
  if (auto r = http::normalise_host(o.host, host); !r) return r;
  if (auto r = take_target(x, o.target); !r) return r;

  x.head.method_token = o.method;
  x.head.verb = verb;
  x.head.target = o.target;
  x.head.host = o.host;
  x.host = std::move(host);
  x.navigation = auth::is_navigation(x.head);
  x.proxy.scheme = o.scheme;
  x.route = nullptr;
  x.route_index = obs::worker_metrics::no_route;
  if (verb == http::method::trace) return errc::method_not_allowed;
  return {};
}

// Every header is there, without a value where there is none: a proxy that copies them overwrites what the client sent.
// Who it is, is told for what goes to an application, and for nothing else.
result<void> append_answer_headers(std::string& out, exchange const& x) {
  if (x.route->to == route_target::upstream) {
    if (auto r = append_identity(out, x, when_absent::empty); !r) return r;
    return append_assertion(out, x, when_absent::empty);
  }
  for (auto const& header : x.view().headers)
    out.append(header.line_start).append("\r\n");
  if (x.worker.assertions.on()) out.append(x.worker.assertions.line_start()).append("\r\n");
  return {};
}

net::task<result<void>> allow(exchange& x) {
  auto& out = x.worker.out;
  out.clear();
  switch (x.route->to) {
    case route_target::unclaimed:
    case route_target::proxy: co_return errc::no_route;
    case route_target::respond: {
      x.decision = obs::decision::respond;
      auto const status = *x.route->config.respond;
      auto const sent = status_for_proxy(status);
      append_status(out, begin_answer(x), status, x.navigation, sent);
      auto r = co_await send_own(x, sent);
      co_return r;
    }
    default: break;
  }
  if (!takes_method(x)) co_return errc::method_not_allowed;
  x.decision = obs::decision::allow;
  auto& lines = x.upstream_head;
  if (auto r = append_answer_headers(lines, x); !r) co_return r;
  append_allowed(out, begin_answer(x), lines);
  auto r = co_await send_own(x, 200);
  co_return r;
}

}  // namespace

unsigned status_for_proxy(unsigned status) noexcept {
  if (status == 401) return 401;
  return status >= 500 ? 503 : 403;
}

bool is_asked_by_proxy(exchange const& x) noexcept {
  if (x.proxy.asked) return true;
  if (x.route != nullptr) return x.route->to == route_target::proxy;
  auto rest = x.head_bytes.substr(0, x.head_bytes.find('\r'));
  rest.remove_prefix(std::min(rest.size(), rest.find(' ') == rest.npos ? rest.size() : rest.find(' ') + 1));
  if (!rest.starts_with(runtime::forward_auth_path)) return false;
  rest.remove_prefix(runtime::forward_auth_path.size());
  return rest.empty() || rest.front() == ' ' || rest.front() == '?';
}

net::task<result<void>> answer_proxy(exchange& x) {
  // Whoever is no proxy of ours could ask about anything, and would be believed what only a proxy may say.
  if (!x.client->from.trusted)
    co_return refuse_question(x, errc::forward_auth_untrusted, "the peer is not in trusted_proxies");
  // In no other spelling: a proxy that keeps it from its clients compares letters. And where the path in question is
  // put together, this one's must not stand.
  if (http::split_target(x.head.target).path != runtime::forward_auth_path) co_return errc::no_route;

  std::string redirect;
  x.proxy.redirects = http::query_parameter(x.query, "redirect", redirect) && redirect == "1";
  x.proxy.with_head = x.head.verb == http::method::head;
  x.proxy.asked = true;
  if (auto r = turn_to_original(x); !r) co_return r;
  if (auto r = match(x); !r) co_return r;
  auto const authenticated = co_await authenticate(x);
  if (!authenticated) co_return authenticated;
  if (auto r = authorize(x); !r) co_return r;
  auto r = co_await allow(x);
  co_return r;
}

}  // namespace doorward::pipeline
