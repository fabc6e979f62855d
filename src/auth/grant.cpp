#include "doorward/auth/grant.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "auth/json_object.hpp"
#include "doorward/base/encoding.hpp"
#include "doorward/base/errc.hpp"
#include "doorward/session/record.hpp"

namespace doorward::auth {
namespace {

using json = nlohmann::json;

constexpr std::size_t most_bytes = 16 * 1024;
constexpr std::size_t most_fields = 64;
// Field names that doorward writes itself.
constexpr std::string_view own_prefix = "doorward.";

bool scalar_text(json const& value, std::string& out) {
  switch (value.type()) {
    case json::value_t::string: out = value.get_ref<std::string const&>(); return true;
    case json::value_t::boolean: out = value.get<bool>() ? "true" : "false"; return true;
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
    case json::value_t::number_float: out = value.dump(); return true;
    default: return false;
  }
}

bool field_text(json const& value, std::string& out) {
  if (!value.is_array()) return scalar_text(value, out);
  out.clear();
  for (auto const& item : value) {
    // A ',' inside an item would become two items.
    if (!item.is_string() || item.get_ref<std::string const&>().find(',') != std::string::npos) return false;
    if (!out.empty()) out += ',';
    out += item.get_ref<std::string const&>();
  }
  return true;
}

// "30m", "12h", "30d", "45s".
std::optional<std::chrono::seconds> parse_lifetime(std::string_view text) noexcept {
  std::int64_t n = 0;
  auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (ec != std::errc{} || n <= 0 || n > 100'000'000) return std::nullopt;
  auto const unit = std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit == "s") return std::chrono::seconds(n);
  if (unit == "m") return std::chrono::minutes(n);
  if (unit == "h") return std::chrono::hours(n);
  if (unit == "d") return std::chrono::hours(24 * n);
  return std::nullopt;
}

// As sessions carry times. A clock that is a little ahead is not the future.
std::optional<epoch_ms> parse_login_time(std::string_view text, epoch_ms now) noexcept {
  auto const at = session::parse_time(text);
  if (!at || *at - now > most_clock_skew.count()) return std::nullopt;
  return std::min(*at, now);
}

bool parse_option(std::string_view option, grant& out, epoch_ms now) noexcept {
  auto const equals = option.find('=');
  auto const name = trim(option.substr(0, equals));
  auto const value = equals == option.npos ? std::string_view{} : trim(option.substr(equals + 1));
  if (name == "remember" && equals == option.npos) {
    out.remember = true;
    return true;
  }
  if (name == "revoke" && value == "others") {
    out.revoke_others = true;
    return true;
  }
  if (name == "idle") return (out.idle = parse_lifetime(value)).has_value();
  if (name == "absolute") return (out.absolute = parse_lifetime(value)).has_value();
  // Doors open by these two: said twice, nobody knows which counts.
  if (name == "acr" && !out.acr) return (out.acr = parse_level(value)).has_value();
  if (name == "auth_time" && !out.auth_time) return (out.auth_time = parse_login_time(value, now)).has_value();
  return false;
}

}  // namespace

std::optional<unsigned> parse_level(std::string_view text) noexcept {
  unsigned level = 0;
  auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), level);
  if (ec != std::errc{} || end != text.data() + text.size() || level > most_level) return std::nullopt;
  return level;
}

std::string_view grant::field(std::string_view name) const noexcept {
  auto const it = std::ranges::find(fields, name, [](auto const& f) { return std::string_view(f.first); });
  return it == fields.end() ? std::string_view{} : std::string_view(it->second);
}

result<grant> parse_grant(std::string_view text, std::string_view options, std::string_view user_field, epoch_ms now) {
  json object;
  if (text.size() > most_bytes || !parse_object(text, object)) return errc::bad_grant;
  if (object.size() > most_fields) return errc::bad_grant;

  grant out;
  std::string scratch;
  for (auto const& [name, value] : object.items()) {
    std::string text_value;
    if (name.empty() || name.starts_with(own_prefix) || !field_text(value, text_value)) return errc::bad_grant;
    scratch.clear();
    if (!append_header_value(scratch, text_value)) return errc::bad_grant;
    out.fields.emplace_back(name, std::move(text_value));
  }
  if (out.field(user_field).empty()) return errc::bad_grant;

  while (!options.empty()) {
    auto const semicolon = options.find(';');
    auto const option = trim(options.substr(0, semicolon));
    options.remove_prefix(semicolon == options.npos ? options.size() : semicolon + 1);
    if (!option.empty() && !parse_option(option, out, now)) return errc::bad_grant;
  }
  return out;
}

}  // namespace doorward::auth
