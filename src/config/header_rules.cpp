#include "config/header_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "doorward/base/encoding.hpp"
#include "doorward/http/reserved_names.hpp"
#include "doorward/http/token.hpp"

namespace doorward::config {
namespace {

// Names that belong to a connection, to the body's framing, or to what doorward itself says of a request. Folded.
constexpr std::array<std::string_view, 16> connection_names{"connection",
                                                            "content-length",
                                                            "cookie",
                                                            "expect",
                                                            "host",
                                                            "http2-settings",
                                                            "keep-alive",
                                                            "proxy-authenticate",
                                                            "proxy-authorization",
                                                            "proxy-connection",
                                                            "set-cookie",
                                                            "te",
                                                            "trailer",
                                                            "transfer-encoding",
                                                            "upgrade",
                                                            "via"};
constexpr std::array<std::string_view, 7> own_names{"forwarded",        "x-forwarded-for", "x-forwarded-proto",
                                                    "x-forwarded-host", "x-request-id",    "traceparent",
                                                    "tracestate"};

template <std::size_t N>
bool contains(std::array<std::string_view, N> const& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool printable(char c) noexcept {
  return c >= ' ' && c <= '~';
}

}  // namespace

bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return http::is_token_byte(static_cast<unsigned char>(c)); });
}

bool is_field_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 128 && std::none_of(text.begin(), text.end(), [](char c) {
    auto const u = static_cast<unsigned char>(c);
    return u <= 0x20U || u == 0x7FU || c == '{' || c == '}' || c == '?';
  });
}

bool is_field_path(std::string_view name) noexcept {
  if (!name.starts_with('/')) return true;
  for (auto at = name.find('~'); at != name.npos; at = name.find('~', at + 1))
    if (at + 1 == name.size() || (name[at + 1] != '0' && name[at + 1] != '1')) return false;
  return true;
}

std::optional<complaint> check_header_name(std::string_view name) {
  if (!is_token(name)) return complaint{"not a header's name: letters, digits and `-`"};
  if (name.size() > 128) return complaint{"a header's name is at most 128 bytes long"};
  auto const folded = http::fold_field_name(name);
  if (contains(connection_names, folded))
    return complaint{"this header belongs to the connection and cannot be injected"};
  if (contains(own_names, folded)) return complaint{"doorward sends this header itself"};
  if (folded.starts_with("doorward-")) return complaint{"names that begin with `Doorward-` are doorward's own"};
  return std::nullopt;
}

parsed<std::vector<header_template::part>> parse_template(std::string_view text) {
  std::vector<header_template::part> parts;
  auto const literal = [&parts](char c) {
    if (parts.empty() || parts.back().is_field) parts.emplace_back();
    parts.back().text += c;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    bool const doubled = i + 1 < text.size() && text[i + 1] == c;
    if (!printable(c)) return complaint{"a header's value is printable ASCII", {}, i};
    if ((c == '{' || c == '}') && doubled) {
      literal(c);
      ++i;
    } else if (c == '}') {
      return complaint{"this `}` closes nothing", "write `}}` for a brace", i};
    } else if (c == '{') {
      auto const end = text.find('}', i);
      if (end == std::string_view::npos) return complaint{"this `{` is not closed", "write `{{` for a brace", i};
      auto name = text.substr(i + 1, end - i - 1);
      bool const optional = name.ends_with('?');
      if (optional) name.remove_suffix(1);
      if (!is_field_name(name))
        return complaint{"between `{` and `}` stands a session field's name", "`{userId}` or `{userId?}`", i};
      parts.push_back({std::string{name}, true, optional});
      i = end;
    } else {
      literal(c);
    }
  }
  if (parts.empty()) return complaint{"a header needs a value", "for example `\"{userId}\"`"};
  if (text.front() == ' ' || text.back() == ' ') return complaint{"a header's value has no blanks at its ends"};
  return parts;
}

std::string template_text(std::vector<header_template::part> const& parts) {
  std::string out;
  for (auto const& p : parts) {
    if (p.is_field) {
      out += fmt::format("{{{}{}}}", p.text, p.optional ? "?" : "");
      continue;
    }
    for (char const c : p.text)
      out.append(c == '{' || c == '}' ? 2 : 1, c);
  }
  return out;
}

}  // namespace doorward::config
