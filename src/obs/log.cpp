#include "doorward/obs/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <type_traits>
#include <utility>

#include "doorward/base/encoding.hpp"
#include "doorward/obs/terminal.hpp"
#include "obs/rfc3339.hpp"

namespace doorward::obs::log {
namespace {

constexpr std::array<std::string_view, 5> level_names{"trace", "debug", "info", "warn", "error"};

constexpr spdlog::level::level_enum to_spdlog(level l) noexcept {
  switch (l) {
    case level::trace: return spdlog::level::trace;
    case level::debug: return spdlog::level::debug;
    case level::info: return spdlog::level::info;
    case level::warn: return spdlog::level::warn;
    case level::error: return spdlog::level::err;
    case level::off: break;
  }
  return spdlog::level::off;
}

struct log_output {
  std::unique_ptr<spdlog::logger> logger;
  bool json = false;
};

log_output open(level least, format how, std::FILE* out) {
  auto const terminal = isatty(fileno(out)) == 1;
  log_output d;
  d.json = how == format::json || (how == format::automatic && !terminal);
  auto const colours = terminal && !d.json ? spdlog::color_mode::always : spdlog::color_mode::never;
  auto sink = std::make_shared<spdlog::sinks::ansicolor_sink<spdlog::details::console_mutex>>(out, colours);
  d.logger = std::make_unique<spdlog::logger>("doorward", std::move(sink));
  d.logger->set_pattern(d.json ? "%v" : "%H:%M:%S.%e %^%l%$ %v", spdlog::pattern_time_type::utc);
  d.logger->set_level(to_spdlog(least));
  d.logger->flush_on(spdlog::level::trace);
  d.logger->set_error_handler([](std::string const&) {});  // nowhere to say it
  return d;
}

log_output& current() {
  static log_output d = open(level::info, format::automatic, stderr);
  return d;
}

void append_json_value(std::string& out, value const& v) {
  auto const append = [&out](auto x) {
    using type = decltype(x);
    if constexpr (std::is_same_v<type, std::string_view>) {
      out += '"';
      append_json_escaped(out, x);
      out += '"';
    } else if constexpr (std::is_same_v<type, bool>) {
      out += x ? "true" : "false";
    } else if constexpr (std::is_same_v<type, double>) {
      if (std::isfinite(x))
        append_number(out, x);
      else
        out += "null";  // JSON has neither infinity nor NaN
    } else {
      append_number(out, x);
    }
  };
  std::visit(append, v);
}

// Quoted where it could be taken for two values, or for something that is not text.
void append_text_value(std::string& out, value const& v) {
  auto const* text = std::get_if<std::string_view>(&v);
  if (text == nullptr) {
    append_json_value(out, v);
    return;
  }
  auto const bare = !text->empty() && std::ranges::all_of(*text, [](char c) {
    return c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '=';
  });
  if (!bare) out += '"';
  append_for_terminal(out, *text);
  if (!bare) out += '"';
}

void write_entry(level l, std::string_view event, fields f, std::uint64_t held_back) noexcept {
  try {
    auto& to = current();
    if (!to.logger->should_log(to_spdlog(l))) return;
    std::string line;
    if (to.json)
      append_json(line, wall_now(), l, event, f, held_back);
    else
      append_text(line, event, f, held_back);
    to.logger->log(to_spdlog(l), spdlog::string_view_t(line.data(), line.size()));
  } catch (...) {
    // No memory for a line: the program matters more than its log.
    return;
  }
}

}  // namespace

void init(level least, format how, std::FILE* out) {
  current() = open(least, how, out);
}

bool enabled(level l) noexcept {
  return current().logger->should_log(to_spdlog(l));
}

void write(level l, std::string_view event, fields f) noexcept {
  write_entry(l, event, f, 0);
}

std::optional<std::uint64_t> limiter::pass(std::string_view key, time_point now) {
  auto at = std::ranges::find(entries_, key, &entry::key);
  if (at == entries_.end()) {
    if (entries_.size() < most_keys) {
      entries_.push_back({std::string(key), now});
    } else {
      at = std::ranges::min_element(entries_, {}, &entry::passed);
      *at = {std::string(key), now};
    }
    return 0;
  }
  if (now - at->passed < every) {
    ++at->held_back;
    return std::nullopt;
  }
  at->passed = now;
  return std::exchange(at->held_back, 0);
}

void limiter::write(time_point now, level l, std::string_view event, fields f) noexcept {
  try {
    if (auto const held_back = pass(event, now)) write_entry(l, event, f, *held_back);
  } catch (...) {
    return;
  }
}

void append_json(std::string& out, epoch_ms at, level l, std::string_view event, fields f, std::uint64_t held_back) {
  auto time = stamp_of_second(at);
  set_milliseconds(time, at);
  out += R"({"time":")";
  out.append(time.data(), time.size());
  out += R"(","level":")";
  out += level_names[std::min(static_cast<std::size_t>(l), level_names.size() - 1)];
  out += R"(","event":")";
  append_json_escaped(out, event);
  out += '"';
  for (auto const& [key, what] : f) {
    out += ",\"";
    append_json_escaped(out, key);
    out += "\":";
    append_json_value(out, what);
  }
  if (held_back > 0) {
    out += ",\"held_back\":";
    append_number(out, held_back);
  }
  out += '}';
}

void append_text(std::string& out, std::string_view event, fields f, std::uint64_t held_back) {
  out += event;
  for (auto const& [key, what] : f) {
    out += ' ';
    out += key;
    out += '=';
    append_text_value(out, what);
  }
  if (held_back > 0) {
    out += " held_back=";
    append_number(out, held_back);
  }
}

}  // namespace doorward::obs::log
