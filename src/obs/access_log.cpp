#include "doorward/obs/access_log.hpp"

#include <cstring>

#include "doorward/base/encoding.hpp"
#include "doorward/obs/terminal.hpp"
#include "obs/rfc3339.hpp"

namespace doorward::obs {
namespace {

// True when `text` can stand in a JSON string as it is: printable ASCII without quotation marks and backslashes. That
// is the common case, and it is found eight bytes at a time.
bool is_plain(std::string_view text) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t highs = 0x8080808080808080;
  // The high bit of each byte of `v` that is zero, and perhaps of bytes above one: exact as a yes or no.
  auto const has_zero = [](std::uint64_t v) { return (v - ones) & ~v & highs; };
  auto const* p = text.data();
  auto left = text.size();
  std::uint64_t bad = 0;
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t v = 0;
    std::memcpy(&v, p, 8);
    auto const below_space = (v - ones * 0x20) & ~v & highs;
    bad |= (v & highs) | below_space | has_zero(v ^ (ones * '"')) | has_zero(v ^ (ones * '\\')) |
           has_zero(v ^ (ones * 0x7f));
  }
  if (bad != 0) return false;
  for (; left > 0; ++p, --left)
    if (*p < 0x20 || *p == 0x7f || *p == '"' || *p == '\\') return false;  // bytes from 0x80 are negative
  return true;
}

void append_text(std::string& out, std::string_view text) {
  if (is_plain(text))
    out += text;
  else
    append_json_escaped(out, text);
}

constexpr std::string_view reset = "\x1b[0m";
constexpr std::string_view dim = "\x1b[2m";

constexpr std::string_view colour_of(unsigned status) noexcept {
  if (status >= 500 || status == 0) return "\x1b[31m";  // red
  if (status >= 400) return "\x1b[33m";                 // yellow
  if (status >= 300) return "\x1b[36m";                 // cyan
  return "\x1b[32m";                                    // green
}

void append_milliseconds(std::string& out, std::int64_t us) {
  append_number(out, us / 1000);
  out += '.';
  out += static_cast<char>('0' + us / 100 % 10);
  out += "ms";
}

}  // namespace

void access_formatter::append(std::string& out, access_record const& r) {
  tell_time(r.time);
  if (style_ == access_style::json)
    append_json(out, r);
  else
    append_colour(out, r);
}

// Only the milliseconds are new in most lines.
void access_formatter::tell_time(epoch_ms at) noexcept {
  if (at / 1000 != second_) {
    second_ = at / 1000;
    stamp_ = stamp_of_second(at);
  }
  set_milliseconds(stamp_, at);
}

void access_formatter::append_json(std::string& out, access_record const& r) {
  auto const text = [&](std::string_view key, std::string_view value) {
    out += key;
    append_text(out, value);
  };
  auto const number = [&](std::string_view key, auto value) {
    out += key;
    append_number(out, value);
  };
  text(R"({"time":")", {stamp_.data(), stamp_.size()});
  text(R"(","request_id":")", r.request_id);
  text(R"(","trace_id":")", r.trace_id);
  text(R"(","client":")", r.client);
  text(R"(","method":")", r.method);
  text(R"(","host":")", r.host);
  text(R"(","path":")", r.path);
  text(R"(","route":")", r.route);
  text(R"(","user":")", r.user);
  text(R"(","session":")", r.session);
  text(R"(","decision":")", r.decision);
  text(R"(","reason":")", r.reason);
  number(R"(","status":)", r.status);
  number(R"(,"bytes_in":)", r.bytes_in);
  number(R"(,"bytes_out":)", r.bytes_out);
  number(R"(,"total_us":)", r.total_us);
  number(R"(,"store_us":)", r.store_us);
  number(R"(,"upstream_us":)", r.upstream_us);
  out += "}\n";
}

void access_formatter::append_colour(std::string& out, access_record const& r) {
  out += dim;
  out.append(stamp_.data() + 11, 12);  // the time of day
  out += reset;
  out += ' ';
  out += colour_of(r.status);
  append_number(out, r.status);
  out += reset;
  out += ' ';
  append_for_terminal(out, r.method);
  out += ' ';
  append_for_terminal(out, r.host);
  append_for_terminal(out, r.path);
  out += ' ';
  out += dim;
  append_milliseconds(out, r.total_us);
  out += reset;
  auto const note = [&](std::string_view key, std::string_view value) {
    if (value.empty()) return;
    out += ' ';
    out += dim;
    out += key;
    out += reset;
    append_for_terminal(out, value);
  };
  note("", r.decision);
  note("reason=", r.reason == r.decision ? std::string_view{} : r.reason);
  note("user=", r.user);
  note("route=", r.route);
  note("client=", r.client);
  note("id=", r.request_id);
  out += '\n';
}

access_log::access_log(log_writer& writer, access_style style) : writer_(writer), formatter_(style) {
  buffer_.reserve(hand_over_at + 4096);
}

}  // namespace doorward::obs
