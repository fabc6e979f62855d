#include "config/scalars.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

#include "doorward/base/encoding.hpp"

namespace doorward::config {
namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<unit, 5> time_units{{{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<unit, 4> size_units{{{"B", 1}, {"KiB", 1ULL << 10U}, {"MiB", 1ULL << 20U}, {"GiB", 1ULL << 30U}}};

// What people write instead of the units above.
struct habit {
  std::string_view written, meant;
};
constexpr std::array<habit, 20> habits{{
    {"msec", "ms"},   {"millis", "ms"}, {"sec", "s"},   {"secs", "s"}, {"seconds", "s"}, {"min", "m"},   {"mins", "m"},
    {"minutes", "m"}, {"hr", "h"},      {"hours", "h"}, {"day", "d"},  {"days", "d"},    {"b", "B"},     {"bytes", "B"},
    {"k", "KiB"},     {"kb", "KiB"},    {"mb", "MiB"},  {"gb", "GiB"}, {"g", "GiB"},     {"kib", "KiB"},
}};

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

template <class T>
std::optional<T> digits(std::string_view text) {
  T value{};
  auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string meant_unit(std::string_view written, std::span<unit const> units, bool size) {
  std::string lower;
  for (char const c : written)
    lower += to_lower(c);
  auto const has = [&](std::string_view name) {
    return std::any_of(units.begin(), units.end(), [&](unit const& u) { return u.name == name; });
  };
  if (size && (lower == "m" || lower == "mib")) return "MiB";
  if (size && lower == "gib") return "GiB";
  for (auto const& h : habits) {
    if (h.written == lower && has(h.meant)) return std::string{h.meant};
  }
  return has(lower) ? lower : std::string{};
}

// The value in the smallest unit.
parsed<std::uint64_t> with_unit(std::string_view text, std::span<unit const> units, bool size) {
  std::string_view const what = size ? "size" : "duration";
  std::string_view const example = size ? "10MiB" : "30s";
  if (text.empty()) return complaint{fmt::format("a {} is missing", what), fmt::format("for example `{}`", example)};
  auto const split = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  if (split == 0) {
    std::string_view const text_of = text.front() == '-' ? "must not be negative" : "is not one";
    return complaint{text.front() == '-' ? fmt::format("a {} {}", what, text_of)
                                         : fmt::format("not a {}: it is a whole number and a unit", what),
                     fmt::format("for example `{}`", example)};
  }
  auto const number = text.substr(0, split);
  auto const rest = text.substr(split);
  if (rest.empty()) {
    auto const n = digits<std::uint64_t>(number);
    auto const fix = !size ? std::string{number} + "s" : n && *n > 0 ? size_text(*n) : std::string{number} + "B";
    return complaint{fmt::format("a {} needs a unit", what), fmt::format("write `{}`", fix)};
  }
  auto const found = std::find_if(units.begin(), units.end(), [&](unit const& u) { return u.name == rest; });
  if (found == units.end()) {
    auto const word = rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
    auto const meant = meant_unit(word, units, size);
    return complaint{
        fmt::format("not a {}: the units are {}", what, size ? "B, KiB, MiB and GiB" : "ms, s, m, h and d"),
        meant.empty() ? fmt::format("for example `{}`", example) : fmt::format("write `{}{}`", number, meant), split};
  }
  auto const n = digits<std::uint64_t>(number);
  if (!n || *n > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / found->factor) {
    return complaint{fmt::format("this {} is too large", what)};
  }
  return *n * found->factor;
}

std::string in_largest_unit(std::uint64_t value, std::span<unit const> units) {
  auto best = units.front();
  for (auto const& u : units) {
    if (value != 0 && value % u.factor == 0) best = u;
  }
  return fmt::format("{}{}", value / best.factor, best.name);
}

}  // namespace

parsed<milliseconds> parse_duration(std::string_view text) {
  auto const value = with_unit(text, time_units, false);
  if (auto const* wrong = std::get_if<complaint>(&value)) return *wrong;
  return milliseconds{static_cast<std::int64_t>(*std::get_if<std::uint64_t>(&value))};
}

parsed<std::uint64_t> parse_size(std::string_view text) {
  return with_unit(text, size_units, true);
}

parsed<std::int64_t> parse_integer(std::string_view text) {
  auto const unsigned_part = text.starts_with('-') ? text.substr(1) : text;
  if (unsigned_part.empty() || !std::all_of(unsigned_part.begin(), unsigned_part.end(), is_digit)) {
    return complaint{"not a whole number"};
  }
  if (auto const value = digits<std::int64_t>(text)) return *value;
  return complaint{"this number is too large"};
}

parsed<double> parse_number(std::string_view text) {
  auto const points = std::count(text.begin(), text.end(), '.');
  bool const plain = !text.empty() && points <= 1 && is_digit(text.front()) && is_digit(text.back()) &&
                     std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; });
  if (!plain) return complaint{"not a number", "for example `0.25`"};
  if (auto const value = digits<double>(text)) return *value;
  return complaint{"this number is too large"};
}

std::string duration_text(milliseconds value) {
  if (value.count() == 0) return "0s";
  return in_largest_unit(static_cast<std::uint64_t>(value.count()), time_units);
}

std::string size_text(std::uint64_t bytes) {
  return in_largest_unit(bytes, size_units);
}

}  // namespace doorward::config
