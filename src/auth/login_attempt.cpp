#include "doorward/auth/login_attempt.hpp"

#include <arpa/inet.h>

#include <nlohmann/json.hpp>

#include "doorward/base/encoding.hpp"
#include "doorward/base/errc.hpp"
#include "doorward/http/target.hpp"

namespace doorward::auth {
namespace {

using json = nlohmann::json;

/// The values that were found for the one name.
class values {
public:
  void add(std::string value) {
    if (first_ && *first_ != value) contradicts_ = true;
    if (!first_) first_ = std::move(value);
  }
  [[nodiscard]] result<std::optional<std::string>> take() && {
    if (contradicts_) return errc::bad_request;
    return std::move(first_);
  }

private:
  std::optional<std::string> first_;
  bool contradicts_ = false;
};

result<std::optional<std::string>> in_form(std::string_view body, std::string_view field) {
  values found;
  while (!body.empty()) {
    auto const pair = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(body.size(), pair.size() + 1));
    std::string value;
    if (http::query_parameter(pair, field, value)) found.add(std::move(value));
  }
  return std::move(found).take();
}

// nlohmann keeps the last of two members of one name silently; this sees them all, and keeps nothing else.
class member_reader final : public json::json_sax_t {
public:
  explicit member_reader(std::string_view name) noexcept : name_(name) {}
  [[nodiscard]] result<std::optional<std::string>> take() && { return std::move(found_).take(); }

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
    wanted_ = depth_ == 1 && text == name_;
    return true;
  }
  bool parse_error(std::size_t, std::string const&, nlohmann::detail::exception const&) override { return false; }

private:
  bool value(std::string const& text) {
    if (wanted_ && depth_ == 1) found_.add(text);
    wanted_ = false;
    return true;
  }

  std::string_view name_;
  std::size_t depth_ = 0;
  bool wanted_ = false;
  values found_;
};

result<std::optional<std::string>> in_json(std::string_view body, std::string_view field) {
  member_reader reader(field);
  // What is broken further on may still have been understood by a generous parser: what was found counts.
  (void)json::sax_parse(body.begin(), body.end(), &reader);
  return std::move(reader).take();
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
  std::string folded = "u";
  for (auto const c : trim(name))
    folded += to_lower(c);
  return digest_(folded);
}

result<std::optional<std::string>> login_name(std::string_view content_type, std::string_view body,
                                              std::string_view field) {
  auto const type = trim(content_type.substr(0, content_type.find(';')));
  if (field.empty() || body.empty()) return std::optional<std::string>{};
  if (iequals(type, "application/x-www-form-urlencoded")) return in_form(body, field);
  if (iequals(type, "application/json")) return in_json(body, field);
  return std::optional<std::string>{};
}

}  // namespace doorward::auth
