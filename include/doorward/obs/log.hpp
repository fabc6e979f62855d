#pragma once

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "doorward/base/time.hpp"

/// The application's own log, on stderr: what happened to doorward, as opposed to what was asked of it (the access
/// log). An entry is an event's name and fields, so that it can be searched for without parsing sentences:
///
///     log::info("listening", {{"role", "http"}, {"address", address}});
namespace doorward::obs::log {

enum class level : std::uint8_t { trace, debug, info, warn, error, off };
enum class format : std::uint8_t { automatic, json, text };

/// A value of an entry. Text is not copied.
using value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

struct field {
  std::string_view key;
  value what;

  field(std::string_view k, std::string_view v) : key(k), what(v) {}
  field(std::string_view k, char const* v) : key(k), what(std::string_view(v)) {}
  field(std::string_view k, std::string const& v) : key(k), what(std::string_view(v)) {}
  field(std::string_view k, bool v) : key(k), what(v) {}
  field(std::string_view k, std::signed_integral auto v) : key(k), what(static_cast<std::int64_t>(v)) {}
  field(std::string_view k, std::unsigned_integral auto v) : key(k), what(static_cast<std::uint64_t>(v)) {}
  field(std::string_view k, std::floating_point auto v) : key(k), what(static_cast<double>(v)) {}
};
using fields = std::initializer_list<field>;

/// Sets where and how entries are written: once, before there are other threads. `automatic`: coloured text when `out`
/// is a terminal, JSON lines otherwise. Without it: level info, automatic, stderr.
void init(level least, format how, std::FILE* out = stderr);

[[nodiscard]] bool enabled(level l) noexcept;

/// Writes an entry at once. Any thread. Never throws.
void write(level l, std::string_view event, fields f = {}) noexcept;

inline void debug(std::string_view event, fields f = {}) noexcept {
  write(level::debug, event, f);
}
inline void info(std::string_view event, fields f = {}) noexcept {
  write(level::info, event, f);
}
inline void warn(std::string_view event, fields f = {}) noexcept {
  write(level::warn, event, f);
}
inline void error(std::string_view event, fields f = {}) noexcept {
  write(level::error, event, f);
}

/// Lets an event through at most once in a while, and says then how often it was held back. For what happens with every
/// request once it happens at all. One a worker; not thread-safe.
class limiter {
public:
  static constexpr milliseconds every{10'000};
  static constexpr std::size_t most_keys = 64;  ///< the one that passed longest ago makes room

  /// The number held back since `key` passed last, or nullopt when it is to be held back now.
  [[nodiscard]] std::optional<std::uint64_t> pass(std::string_view key, time_point now);

  /// Writes the entry, with a field `held_back`, if its event may pass.
  void write(time_point now, level l, std::string_view event, fields f = {}) noexcept;

private:
  struct entry {
    std::string key;
    time_point passed;
    std::uint64_t held_back = 0;
  };
  std::vector<entry> entries_;
};

/// An entry as JSON, and as text for people (without time and level); both without a newline. Pure.
void append_json(std::string& out, epoch_ms at, level l, std::string_view event, fields f, std::uint64_t held_back = 0);
void append_text(std::string& out, std::string_view event, fields f, std::uint64_t held_back = 0);

}  // namespace doorward::obs::log
