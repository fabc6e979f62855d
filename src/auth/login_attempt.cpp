#include "doorward/auth/login_attempt.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "doorward/base/encoding.hpp"
#include "doorward/base/errc.hpp"

namespace doorward::auth {
namespace {

using json = nlohmann::json;

constexpr bool is_space(char c) noexcept {
  return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
}

std::string_view stripped(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_space(text.back()))
    text.remove_suffix(1);
  return text;
}

/// The values that were found for the one name.
class values {
public:
  explicit values(std::string_view field) noexcept : field_(field) {}

  [[nodiscard]] bool wants(std::string_view name) const noexcept { return iequals(stripped(name), field_); }
  void add(std::string_view value) {
    auto text = folded(value);
    if (first_ && *first_ != text) contradicts_ = true;
    if (!first_) first_ = std::move(text);
  }
  [[nodiscard]] bool contradict() const noexcept { return contradicts_; }
  [[nodiscard]] std::optional<std::string> take() && { return std::move(first_); }

private:
  std::string_view field_;
  std::optional<std::string> first_;
  bool contradicts_ = false;
};

// As a form has it: '+' is a blank. What cannot be decoded is taken as it is, for somebody will.
std::string decoded(std::string_view text) {
  std::string blanks(text);
  std::replace(blanks.begin(), blanks.end(), '+', ' ');
  std::string out;
  return percent_decode(out, blanks) ? out : blanks;
}

// Some split at ';' too.
void look_in_form(std::string_view form, values& found) {
  while (!form.empty()) {
    auto const pair = form.substr(0, form.find_first_of("&;"));
    form.remove_prefix(std::min(form.size(), pair.size() + 1));
    auto const equals = std::min(pair.size(), pair.find('='));
    if (found.wants(decoded(pair.substr(0, equals))))
      found.add(decoded(pair.substr(std::min(pair.size(), equals + 1))));
  }
}

// The value of a parameter that begins at the front of `text`: quoted, or up to what ends a token.
std::string_view parameter(std::string_view text) noexcept {
  if (!text.starts_with('"')) return text.substr(0, text.find_first_of("; \t\r\n"));
  text.remove_prefix(1);
  return text.substr(0, text.find('"'));
}

// RFC 7578, without its boundaries: a part of that name, wherever it may stand.
void look_in_parts(std::string_view body, values& found) {
  constexpr std::string_view name = "name=";
  for (std::size_t at = 0; at + name.size() < body.size(); ++at) {
    if (!iequals(body.substr(at, name.size()), name)) continue;
    if (at > 0 && !is_space(body[at - 1]) && body[at - 1] != ';') continue;  // filename=
    if (!found.wants(parameter(body.substr(at + name.size())))) continue;
    auto const end = std::min(body.find("\r\n\r\n", at), body.size());
    auto const value = body.substr(std::min(end + 4, body.size()));
    found.add(value.substr(0, value.find("\r\n")));
  }
}

// nlohmann keeps the last of two members of one name silently; this sees them all, and keeps nothing else.
class member_reader final : public json::json_sax_t {
public:
  explicit member_reader(values& found) noexcept : found_(found) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t n) override { return value(std::to_string(n)); }
  bool number_unsigned(number_unsigned_t n) override { return value(std::to_string(n)); }
  bool number_float(number_float_t, string_t const& text) override { return value(text); }
  bool string(string_t& text) override { return value(text); }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return ++depth_, true; }
  bool end_object() override { return --depth_, true; }
  bool start_array(std::size_t) override { return ++depth_, true; }
  bool end_array() override { return --depth_, true; }
  bool key(string_t& text) override {
    wanted_ = depth_ == 1 && found_.wants(text);
    return true;
  }
  bool parse_error(std::size_t, std::string const&, nlohmann::detail::exception const&) override { return false; }

private:
  bool value(std::string const& text) {
    if (wanted_ && depth_ == 1) found_.add(text);
    wanted_ = false;
    return true;
  }

  values& found_;
  std::size_t depth_ = 0;
  bool wanted_ = false;
};

void look_in_json(std::string_view body, values& found) {
  member_reader reader(found);
  // What is broken further on may still have been understood by a generous parser: what was found counts.
  (void)json::sax_parse(body.begin(), body.end(), &reader);
}

}  // namespace

keyed_digest::value login_keys::address(std::string_view text) const {
  static constexpr std::string_view mapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);  // RFC 4291 section 2.5.5.2
  std::string const terminated(text);
  std::string bytes(16, '\0');
  if (::inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1)
    return digest_("a" + (bytes.starts_with(mapped) ? bytes : bytes.substr(0, 8)));
  if (::inet_pton(AF_INET, terminated.c_str(), bytes.data() + mapped.size()) == 1)
    return digest_("a" + bytes.replace(0, mapped.size(), mapped));
  return digest_("n" + terminated);
}

keyed_digest::value login_keys::user(std::string_view name) const {
  return digest_("u" + folded(name));
}

std::string folded(std::string_view name) {
  std::string out(stripped(name));
  for (auto& c : out)
    c = to_lower(c);
  return out;
}

result<login_user> find_login_user(std::string_view content_type, std::string_view query, std::string_view body,
                                   std::string_view field) {
  if (field.empty()) return login_user{};
  auto const type = folded(content_type.substr(0, content_type.find(';')));
  bool const is_text = type.empty() || type == "application/x-www-form-urlencoded" || type == "text/plain" ||
                       type == "application/json" || type.ends_with("+json");
  bool const in_parts = type.starts_with("multipart/");
  if (is_text && body.find('\0') != body.npos) return errc::bad_request;  // UTF-16, which some would read

  values found(field);
  look_in_form(query, found);
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  auto const text = stripped(body.substr(body.starts_with(byte_order_mark) ? byte_order_mark.size() : 0));
  if (in_parts)
    look_in_parts(body, found);
  else if (text.starts_with('{'))
    look_in_json(text, found);
  else
    look_in_form(text, found);
  if (found.contradict()) return errc::bad_request;
  return login_user{std::move(found).take(), body.empty() || is_text || in_parts};
}

}  // namespace doorward::auth
