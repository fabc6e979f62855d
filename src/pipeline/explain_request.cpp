#include "pipeline/explain_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "doorward/base/encoding.hpp"
#include "doorward/http/host.hpp"

namespace doorward::pipeline {
namespace {

// Control bytes are shown by number: nothing a request holds may steer a terminal.
std::string shown(std::string_view text) {
  std::string out;
  for (char const c : text) {
    if (c >= ' ' && c <= '~')
      out += c;
    else
      out += fmt::format("<{:02x}>", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string escape_trouble(std::string_view path) {
  for (auto at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    auto const escape = path.substr(at, 3);
    if (escape.size() < 3 || hex_value(escape[1]) < 0 || hex_value(escape[2]) < 0)
      return fmt::format("`{}` is no escape: `%` and two hexadecimal digits", shown(escape));
    if (escape[1] == '0' || escape[1] == '1' || iequals(escape, "%7f"))
      return fmt::format("`{}` stands for a control character", escape);
  }
  return {};
}

// What `target` has that no target may have; empty when it is fine.
std::string target_trouble(std::string_view target) {
  if (!target.starts_with('/')) return fmt::format("the path begins with `/`, and `{}` does not", shown(target));
  for (char const c : target) {
    if (c == '#') return "`#` and what follows it is for browsers, which do not send it";
    if (c == '\\') return "`\\` is a slash to some servers and not to others";
    if (c <= ' ' || c > '~') return fmt::format("`{}` has to be percent-encoded", c == ' ' ? " " : shown({&c, 1}));
  }
  auto const path = http::split_target(target).path;
  if (auto escape = escape_trouble(path); !escape.empty()) return escape;
  std::string scratch;
  if (!http::canonicalise(path, scratch))
    return "it has a `..` that leads above the root, or an ASCII character in an overlong UTF-8 form";
  return {};
}

std::string_view field_trouble(std::string_view name) {
  struct row {
    std::string_view name, text;
  };
  static constexpr std::array rows{
      row{"host", "one host name, with a port or without, and only once"},
      row{"content-length", "one plain number, only once, and not beside Transfer-Encoding"},
      row{"transfer-encoding", "`chunked` alone, only once, and not beside Content-Length"},
      row{"connection", "a list of names"},
      row{"upgrade", "only once"},
      row{"expect", "`100-continue` alone"},
  };
  for (auto const& r : rows)
    if (iequals(r.name, name)) return r.text;
  return "a name of letters, digits and a few signs, a colon, and a value without control characters";
}

struct head_parts {
  std::string_view request_line;
  std::vector<std::string_view> fields;  // lines, without their ends
};

head_parts take_apart(std::string_view head) {
  head_parts parts;
  while (!head.empty()) {
    auto const end = std::min(head.find("\r\n"), head.size());
    auto const line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    if (parts.request_line.empty())
      parts.request_line = line;
    else if (!line.empty())
      parts.fields.push_back(line);
  }
  return parts;
}

// Whether the request line parses with the first `count` fields.
bool parses(exchange const& x, head_parts const& parts, std::size_t count) {
  std::string head(parts.request_line);
  head += "\r\n";
  bool has_host = false;
  for (std::size_t i = 0; i < count; ++i) {
    auto const line = parts.fields[i];
    head.append(line).append("\r\n");
    has_host = has_host || iequals(line.substr(0, line.find(':')), "host");
  }
  if (!has_host) head += "Host: localhost\r\n";
  head += "\r\n";
  http::request_head scratch;
  return http::parse_request_head(head, x.view().limits, scratch).has_value();
}

void explain_malformed(exchange const& x, explanation& out) {
  auto const parts = take_apart(x.head_bytes);
  if (!parses(x, parts, 0)) {
    auto const method = parts.request_line.substr(0, parts.request_line.find(' '));
    auto const target = parts.request_line.substr(std::min(method.size() + 1, parts.request_line.size()));
    auto why = target_trouble(target.substr(0, target.rfind(' ')));
    if (why.empty()) why = "a method (a word like GET, but not CONNECT), one blank, and a path";
    out.say("request line", fmt::format("{}: {}", shown(parts.request_line), why));
    return;
  }
  for (std::size_t i = 0; i < parts.fields.size(); ++i) {
    if (parses(x, parts, i + 1)) continue;
    auto const line = parts.fields[i];
    out.say("header", fmt::format("{}: has to be {}", shown(line), field_trouble(line.substr(0, line.find(':')))));
    return;
  }
  if (std::string host; !x.head.host.empty() && !http::normalise_host(x.head.host, host)) {
    out.say("host", shown(x.head.host) + ": not a host name with a port or without");
    return;
  }
  out.say("target", fmt::format("{}: {}", shown(x.head.target), target_trouble(x.head.target)));
}

}  // namespace

void explain_request(exchange const& x, errc why, explanation& out) {
  auto const& limits = x.view().limits;
  switch (why) {
    case errc::header_too_large:
      out.say("head",
              fmt::format("{} bytes; server.limits.header_bytes is {}", x.head_bytes.size(), limits.header_bytes));
      break;
    case errc::too_many_headers:
      out.say("head", fmt::format("more than {} header lines (server.limits.headers)", limits.fields));
      break;
    case errc::target_too_long:
      out.say("target", fmt::format("more than {} bytes (server.limits.target_bytes)", limits.target_bytes));
      break;
    default: explain_malformed(x, out);
  }
}

}  // namespace doorward::pipeline
