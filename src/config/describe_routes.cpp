#include <fmt/format.h>

#include <algorithm>

#include "config/address.hpp"
#include "config/header_rules.hpp"
#include "config/path_rules.hpp"
#include "config/sections.hpp"
#include "doorward/base/encoding.hpp"
#include "doorward/http/host.hpp"

namespace doorward::config {
namespace {

using std::chrono::hours;

std::optional<complaint> check_id(std::string_view id) {
  auto const fine = [](char c) { return c > ' ' && c <= '~' && c != '"' && c != '\\'; };
  if (!id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), fine)) return std::nullopt;
  return complaint{"a route's id: up to 128 printable ASCII characters without blanks, quotes and backslashes"};
}

parsed<std::string> parse_host(std::string_view written) {
  constexpr std::string_view below = "*.";
  bool const wildcard = written.starts_with(below);
  auto const name = wildcard ? written.substr(below.size()) : written;
  if (name.find('*') != std::string_view::npos) {
    return complaint{"`*.` stands only in front of a host", {}, written.find('*')};
  }
  if (name.find("://") != std::string_view::npos || name.find('/') != std::string_view::npos) {
    return complaint{"a host is a name alone, without scheme and path"};
  }
  auto const colon = name.rfind(':');
  bool const port = colon != std::string_view::npos && name.find(']', colon) == std::string_view::npos;
  if (port && !is_ipv6(name)) {
    return complaint{"hosts are matched without their port",
                     fmt::format("write `{}`", written.substr(0, written.rfind(':')))};
  }
  bool const literal = name.starts_with('[') && name.ends_with(']') && is_ipv6(name.substr(1, name.size() - 2));
  std::string host;
  bool const ok = (is_host_name(name) || (literal && !wildcard)) && http::normalise_host(name, host);
  if (!ok) return complaint{"not a host: a name, `*.` and a name, or an address"};
  return wildcard ? std::string{below} + host : host;
}

std::optional<complaint> check_method(std::string_view method) {
  if (!is_token(method)) return complaint{"not a method", "for example `GET`"};
  std::string upper{method};
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  if (upper == method) return std::nullopt;
  return complaint{"methods are written in capital letters", fmt::format("write `{}`", upper)};
}

std::optional<complaint> check_word(std::string_view word) {
  if (word.empty()) return complaint{"this value is empty: nobody has it"};
  return std::nullopt;
}

// A session's roles are split at commas, so such a role could never match.
std::optional<complaint> check_role(std::string_view role) {
  if (role.find(',') != std::string_view::npos)
    return complaint{"a role has no comma in it", "make it two items of the list"};
  return check_word(role);
}

parsed<std::string> parse_route_path(std::string_view written) {
  auto pattern = parse_pattern(written);
  if (!std::holds_alternative<complaint>(pattern) && is_own_path(written)) {
    return complaint{"paths under /.doorward are doorward's own"};
  }
  return pattern;
}

// For `strip_prefix` and `rewrite`; empty is as good as not given.
parsed<std::string> parse_replacement(std::string_view written) {
  if (written.empty()) return std::string{};
  return parse_path(written);
}

typed<allow_rule> allow() {
  using field_values = std::pair<std::string, std::vector<std::string>>;
  auto const named = [](field_values& f, std::string const& name, position) { f.first = name; };
  auto const values = [](field_values& f) -> std::vector<std::string>& { return f.second; };
  auto const check = [](std::string_view name) -> std::optional<complaint> {
    if (is_field_name(name)) return std::nullopt;
    return complaint{"not a session field's name"};
  };
  return mapping<allow_rule>({
      field("roles", &allow_rule::roles, list(text("role", "^[^,]+$", check_role), false), "",
            "One of these roles must be the user's."),
      field("fields", &allow_rule::fields,
            dictionary<field_values>(R"(^[^\s{}?]+$)", list(text("value", "^.+$", check_word), false), named, values,
                                     check),
            "", "Each of these session fields must have one of the values listed."),
  });
}

typed<step_up_rule> require() {
  return mapping<step_up_rule>({
      field("acr", &step_up_rule::acr, integer<unsigned>(0, 99), "0",
            "The least level of the login; a session that says nothing of it has 0."),
      field("max_age", &step_up_rule::max_age, duration(seconds{0}, seconds{hours{24 * 365}}), "0s",
            "How long ago the login may have been; `0s` is any time."),
  });
}

typed<nothing> rate_limit() {
  return mapping<nothing>({
      unused<nothing>("rate", any_text("rate"), "", "Requests and their time, `50/s`."),
      unused<nothing>("burst", integer<unsigned>(1, 1'000'000), "", "Requests that may come at once."),
      unused<nothing>("by", choice<int>({{"user", 0}, {"ip", 1}}), "", "What is counted."),
  });
}

}  // namespace

typed<std::vector<header_template>> describe_headers() {
  using parts = std::vector<header_template::part>;
  auto const named = [](header_template& h, std::string const& name, position where) {
    h.name = name;
    h.where = where;
  };
  auto const value = [](header_template& h) -> parts& { return h.parts; };
  return dictionary<header_template>("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
                                     parsed_text<parts>("header template", "^.+$", parse_template), named, value,
                                     check_header_name);
}

typed<route_defaults> describe_defaults() {
  return mapping<route_defaults>({
      field("auth", &route_defaults::auth, choice<auth_mode>(), "required", "`auth` of the routes that give none."),
  });
}

typed<std::vector<route_config>> describe_routes() {
  constexpr std::uint64_t kib = 1024;
  auto const replacement = parsed_text<std::string>("path", "^$|^/[^*;?#]*$", parse_replacement);
  auto const total = duration(milliseconds{1}, milliseconds{hours{24}});
  auto timeouts = mapping<route_config>({
      field(
          "total", &route_config::total_timeout, total, "",
          "From the request's head to the end of the response; then 504 or a cut. Not for event streams and upgrades.")
          .without("no limit"),
  });
  auto route = mapping<route_config>(
      {
          field("id", &route_config::id, text("id", R"(^[!#-\[\]-~]{1,128}$)", check_id), "",
                "Its name in logs and metrics; no two routes have the same.")
              .without("the path, made unique where several routes share it"),
          field("host", &route_config::host, parsed_text<std::string>("host", R"(^(\*\.)?[^*/]+$)", parse_host), "",
                "`app.example.com`, or `*.example.com` for every name below it.")
              .without("any host"),
          field("path", &route_config::path, parsed_text<std::string>("path pattern", "^/[^;?#]*$", parse_route_path),
                "", "Literal segments, `*` for one segment, `**` for the rest.")
              .required(),
          field("methods", &route_config::methods,
                list(text("method", "^[!#$%&'*+.^_`|~0-9A-Z-]+$", check_method), false), "", "The methods it is for.")
              .without("every method"),
          field(
              "auth", &route_config::auth, choice<auth_mode>(), "",
              "`required`: no session, no entry. `optional`: without one the request goes on as nobody. `passive`: as "
              "`required`, but does not extend the session. `none`: Redis is not asked.")
              .without("`defaults.auth`"),
          field("allow", &route_config::allow, allow(), "",
                "Who may pass; all conditions given must hold. Others get 403.")
              .without("everybody with a session"),
          field("require", &route_config::require, require(), "",
                "How, and how lately, one must have logged in. Others are sent to the login once more, or get 401.")
              .without("any login"),
          field("unauthenticated", &route_config::unauthenticated, choice<unauthenticated_action>(), "auto",
                "Without a session: `reject` is 401, `redirect` goes to the login, `auto` redirects navigations only."),
          field("upstream", &route_config::upstream, any_text("upstream's name"), "",
                "Where it goes; a name from `upstreams`."),
          field("strip_prefix", &route_config::strip_prefix, replacement, "\"\"",
                "A path that is taken off the front before forwarding."),
          field("rewrite", &route_config::rewrite, replacement, "\"\"",
                "A path that replaces the pattern's literal part before forwarding."),
          group("timeouts", std::move(timeouts), "How long a request may take."),
          field("body_bytes", &route_config::body_bytes, maybe(size<std::uint64_t>(0, kib * kib * kib * kib)), "",
                "Overrides `server.limits.body_bytes`.")
              .without("that limit"),
          unused<route_config>("rate_limit", rate_limit(), "", "How many requests a user or an address may send.")
              .not_yet(),
          field("csrf", &route_config::csrf, boolean(), "true",
                "Refuse cross-site unsafe requests that carry a session."),
          field("upgrade", &route_config::upgrade, boolean(), "true",
                "WebSocket handshakes go through; else such a request is forwarded as an ordinary one."),
          field("respond", &route_config::respond, maybe(integer<unsigned>(200, 599)), "",
                "Instead of `upstream`: answer with this status."),
      },
      {"upstream", "respond"});
  return list(std::move(route), false);
}

}  // namespace doorward::config
