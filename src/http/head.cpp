#include "doorward/http/head.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/http/basic_parser.hpp>
#include <cstring>

#include "doorward/base/encoding.hpp"
#include "doorward/base/errc.hpp"

namespace doorward::http {
namespace {

namespace beast = boost::beast::http;

constexpr std::size_t most_connection_options = 32;

constexpr std::size_t beast_fields = 512;  // more than Beast has names

// Beast knows a few hundred names by a perfect hash; this says which of them matter here.
constexpr auto make_ids() {
  std::array<field_id, beast_fields> ids{};
  auto const set = [&](beast::field f, field_id id) { ids[static_cast<std::size_t>(f)] = id; };
  set(beast::field::accept, field_id::accept);
  set(beast::field::connection, field_id::connection);
  set(beast::field::content_length, field_id::content_length);
  set(beast::field::cookie, field_id::cookie);
  set(beast::field::expect, field_id::expect);
  set(beast::field::forwarded, field_id::forwarded);
  set(beast::field::host, field_id::host);
  set(beast::field::keep_alive, field_id::keep_alive);
  set(beast::field::location, field_id::location);
  set(beast::field::origin, field_id::origin);
  set(beast::field::proxy_authenticate, field_id::proxy_authenticate);
  set(beast::field::proxy_authorization, field_id::proxy_authorization);
  set(beast::field::proxy_connection, field_id::proxy_connection);
  set(beast::field::referer, field_id::referer);
  set(beast::field::set_cookie, field_id::set_cookie);
  set(beast::field::te, field_id::te);
  set(beast::field::trailer, field_id::trailer);
  set(beast::field::transfer_encoding, field_id::transfer_encoding);
  set(beast::field::upgrade, field_id::upgrade);
  return ids;
}
constexpr auto ids = make_ids();

std::string_view to_std(boost::beast::string_view s) noexcept {
  return {s.data(), s.size()};
}

// Feeds a whole head to Beast's grammar and notes where things are. Nothing is copied.
template <bool is_request, class Head>
class recorder final : public beast::basic_parser<is_request> {
public:
  recorder(std::string_view bytes, head_limits const& limits, Head& out) : limits_(limits), out_(out) {
    // The limits are checked before and beside Beast's own, which would answer them with other errors.
    this->header_limit(static_cast<std::uint32_t>(bytes.size() + 1));
    this->body_limit(boost::none);
  }

  errc failure = errc::bad_request;

private:
  using view = boost::beast::string_view;
  using code = boost::beast::error_code;

  void refuse(errc e, code& ec) {
    failure = e;
    ec = make_error_code(e);
  }

  void on_request_impl(beast::verb, view method_token, view target, int version, code&) override {
    if constexpr (is_request) {
      out_.method_token = to_std(method_token);
      out_.target = to_std(target);
      out_.minor_version = static_cast<unsigned>(version - 10);
    }
  }

  void on_response_impl(int status, view reason, int version, code&) override {
    if constexpr (!is_request) {
      out_.status = static_cast<unsigned>(status);
      out_.reason = to_std(reason);
      out_.minor_version = static_cast<unsigned>(version - 10);
    }
  }

  void on_field_impl(beast::field f, view name, view value, code& ec) override {
    if (out_.fields.size() == limits_.fields) return refuse(errc::too_many_headers, ec);
    out_.fields.push_back({to_std(name), to_std(value), ids[static_cast<std::size_t>(f)]});
  }

  void on_header_impl(code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, code&) override {}
  std::size_t on_body_impl(view, code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, view, code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, view, code&) override { return 0; }
  void on_finish_impl(code&) override {}

  head_limits const& limits_;
  Head& out_;
};

// RFC 9110 section 8.6: digits only. Twenty digits and more cannot be a length anybody means.
bool parse_length(std::string_view text, std::uint64_t& out) noexcept {
  if (text.empty() || text.size() > 19) return false;
  out = 0;
  for (auto const c : text) {
    if (c < '0' || c > '9') return false;
    out = out * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return true;
}

// Framing and connection options, from the fields, for both directions. False when they contradict themselves.
bool read_fields(message_head& out) noexcept {
  bool has_length = false;
  bool has_coding = false;
  bool close = false;
  bool keep = false;
  std::size_t options = 0;
  for (auto const& f : out.fields) {
    switch (f.id) {
      case field_id::content_length:
        // Twice, or as a list, even with equal values: another parser may take the other one.
        if (has_length || !parse_length(f.value, out.content_length)) return false;
        has_length = true;
        break;
      case field_id::transfer_encoding:
        if (has_coding || !iequals(f.value, "chunked")) return false;
        has_coding = true;
        break;
      case field_id::connection:
        for_each_token(f.value, [&](std::string_view token) {
          ++options;
          if (iequals(token, "close"))
            close = true;
          else if (iequals(token, "keep-alive"))
            keep = true;
          else if (iequals(token, "upgrade"))
            out.connection_upgrade = true;
          else
            out.connection_names_fields = true;
        });
        break;
      case field_id::upgrade:
        if (!out.upgrade.empty()) return false;
        out.upgrade = f.value;
        break;
      default: break;
    }
  }
  // Each is looked for among the fields; nobody has that many.
  if (options > most_connection_options) return false;
  // RFC 9112 section 6.1: a coding in HTTP/1.0, or beside a length, is a sign of smuggling.
  if (has_coding && (has_length || out.minor_version == 0)) return false;
  out.body = has_coding ? framing::chunked : has_length ? framing::length : framing::none;
  out.keep_alive = !close && (out.minor_version == 1 || keep);
  return true;
}

template <bool is_request, class Head>
result<void> parse(std::string_view bytes, head_limits const& limits, Head& out) {
  // The line ends and folds, which Beast would join in a buffer of its own.
  std::size_t from = 0;
  auto const found = find_head_end(bytes, from, limits);
  if (!found) return found.error();
  if (*found != bytes.size()) return errc::bad_request;
  recorder<is_request, Head> parser(bytes, limits, out);
  boost::beast::error_code ec;
  auto const used = parser.put({bytes.data(), bytes.size()}, ec);
  // The body is ours to decode: the parser may be in any state that comes after a whole header section.
  if (ec || used != bytes.size() || !parser.is_header_done()) return parser.failure;

  auto const* const end = bytes.data() + bytes.size() - 2;
  auto const* const begin = out.fields.empty() ? end : out.fields.front().name.data();
  out.block = {begin, static_cast<std::size_t>(end - begin)};
  return {};
}

// RFC 9112 section 3.2.2: an absolute-form is split, and its authority stands in place of Host.
bool split_absolute_form(request_head& out) noexcept {
  auto const scheme_end = out.target.find("://");
  if (scheme_end == out.target.npos) return false;
  auto const scheme = out.target.substr(0, scheme_end);
  if (!iequals(scheme, "http") && !iequals(scheme, "https")) return false;
  auto const rest = out.target.substr(scheme_end + 3);
  auto const slash = rest.find('/');
  if (slash == rest.npos) return false;  // an empty path would have to be written anew; nobody sends it
  auto const authority = rest.substr(0, slash);
  if (authority.empty() || authority.find_first_of("@?#") != authority.npos) return false;
  out.host = authority;
  out.target = rest.substr(slash);
  return true;
}

}  // namespace

method method_of(std::string_view token) noexcept {
  switch (token.size()) {
    case 3:
      if (token == "GET") return method::get;
      if (token == "PUT") return method::put;
      break;
    case 4:
      if (token == "HEAD") return method::head;
      if (token == "POST") return method::post;
      break;
    case 5:
      if (token == "PATCH") return method::patch;
      if (token == "TRACE") return method::trace;
      break;
    case 6:
      if (token == "DELETE") return method::delete_;
      break;
    case 7:
      if (token == "OPTIONS") return method::options;
      if (token == "CONNECT") return method::connect;
      break;
    default: break;
  }
  return method::other;
}

std::string_view to_string(method m) noexcept {
  static constexpr std::array<std::string_view, 10> names{"GET",     "HEAD",  "POST",  "PUT",     "DELETE",
                                                          "OPTIONS", "PATCH", "TRACE", "CONNECT", "other"};
  return names[static_cast<std::size_t>(m)];
}

void message_head::clear() noexcept {
  fields.clear();
  body = framing::none;
  content_length = 0;
  minor_version = 1;
  keep_alive = true;
  connection_names_fields = false;
  connection_upgrade = false;
  upgrade = {};
  block = {};
}

void request_head::clear() noexcept {
  message_head::clear();
  method_token = {};
  verb = http::method::other;
  target = {};
  host = {};
  expects_continue = false;
}

field_line const* message_head::find(field_id id) const noexcept {
  auto const it = std::ranges::find(fields, id, &field_line::id);
  return it == fields.end() ? nullptr : &*it;
}

field_line const* message_head::find(std::string_view name) const noexcept {
  auto const it = std::ranges::find_if(fields, [&](auto const& f) { return iequals(f.name, name); });
  return it == fields.end() ? nullptr : &*it;
}

result<std::size_t> find_head_end(std::string_view bytes, std::size_t& from, head_limits const& limits) {
  // Line by line: each LF must follow a CR, and a line of nothing but CRLF is the end.
  auto const is_empty_line = [&](std::size_t lf) {
    return lf >= 3 && bytes[lf - 1] == '\r' && bytes[lf - 2] == '\n' && bytes[lf - 3] == '\r';
  };
  // 32 bytes are room for a method and the version. Looked at first, so that it does not matter how much has come.
  auto const longest_line = limits.target_bytes + 32;
  if (bytes.size() > longest_line && bytes.substr(0, longest_line).find('\n') == bytes.npos)
    return errc::target_too_long;
  while (from < bytes.size()) {
    // A line that begins with white space goes on the one before it (obs-fold, RFC 9112 section 5.2) for some servers,
    // and is a field of its own for others.
    if (from > 0 && bytes[from - 1] == '\n' && (bytes[from] == ' ' || bytes[from] == '\t')) return errc::bad_request;
    auto const* const lf = static_cast<char const*>(std::memchr(bytes.data() + from, '\n', bytes.size() - from));
    if (lf == nullptr) break;
    auto const at = static_cast<std::size_t>(lf - bytes.data());
    if (at == 0 || bytes[at - 1] != '\r') return errc::bad_request;
    from = at + 1;
    if (is_empty_line(at)) {
      if (from > limits.header_bytes) return errc::header_too_large;
      return from;
    }
  }
  auto const searched = bytes.size();
  if (searched > limits.header_bytes) return errc::header_too_large;
  from = searched;
  return std::size_t{0};
}

result<void> parse_request_head(std::string_view bytes, head_limits const& limits, request_head& out) {
  out.clear();
  if (auto r = parse<true>(bytes, limits, out); !r) return r;
  if (out.target.size() > limits.target_bytes) return errc::target_too_long;
  if (!read_fields(out)) return errc::bad_request;

  out.verb = method_of(out.method_token);
  if (out.verb == method::connect) return errc::bad_request;
  bool has_host = false;
  for (auto const& f : out.fields) {
    if (f.id == field_id::host) {
      if (has_host) return errc::bad_request;  // RFC 9112 section 3.2
      has_host = true;
      out.host = f.value;
    } else if (f.id == field_id::expect) {
      if (!iequals(f.value, "100-continue")) return errc::unsupported_expectation;
      out.expects_continue = out.minor_version == 1;
    }
  }
  if (!has_host && out.minor_version == 1) return errc::bad_request;
  if (out.target.front() != '/' && !split_absolute_form(out)) return errc::bad_request;
  return {};
}

result<void> parse_response_head(std::string_view bytes, head_limits const& limits, method m, response_head& out) {
  out.clear();
  if (!parse<false>(bytes, limits, out) || !read_fields(out)) return errc::upstream_bad_response;
  if (out.status < 100 || out.status > 599) return errc::upstream_bad_response;

  auto const never_a_body = out.status / 100 == 1 || out.status == 204;
  // RFC 9112 section 6.1 and RFC 9110 section 8.6: framing where there can be no body is a sign of confusion.
  if (never_a_body && out.body == framing::chunked) return errc::upstream_bad_response;
  if (never_a_body || out.status == 304 || m == method::head) {
    // A length says what the body would have been; it does not frame anything here.
    out.body = framing::none;
  } else if (out.body == framing::none) {
    out.body = framing::until_close;
    out.keep_alive = false;
  }
  return {};
}

}  // namespace doorward::http
