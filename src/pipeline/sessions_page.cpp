#include "pipeline/sessions_page.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "doorward/base/encoding.hpp"

namespace doorward::pipeline {

// Colours have a contrast of at least 5.5:1 on both backgrounds (WCAG 2.1 asks for 4.5).
std::string_view const sessions_page_style =
    ":root{color-scheme:light dark}"
    "body{margin:0;font:1rem/1.5 system-ui,sans-serif;background:#f6f7f9;color:#1b1f24}"
    "main{box-sizing:border-box;width:100%;max-width:40rem;margin:0 auto;padding:1.5rem}"
    "h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.25}"
    "ul{list-style:none;margin:0 0 1.5rem;padding:0}"
    "li{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;justify-content:space-between;"
    "padding:.75rem 0;border-bottom:1px solid #c9ced6}"
    "li div{flex:1 1 12rem;min-width:0;overflow-wrap:anywhere}"
    "small{display:block;color:#57606a}"
    "form{margin:0}"
    ".all{display:flex;flex-wrap:wrap;gap:.75rem}"
    "button{font:inherit;padding:.5rem 1rem;border:0;border-radius:.375rem;background:#0b5cad;color:#fff;"
    "cursor:pointer}"
    "button:focus-visible{outline:3px solid;outline-offset:2px}"
    "@media(prefers-color-scheme:dark){body{background:#14171a;color:#e6e8eb}small{color:#a6adb5}"
    "li{border-color:#3a4148}button{background:#8ec5ff;color:#10253d}}";

namespace {

std::string plural(std::int64_t n, std::string_view unit) {
  return fmt::format("{} {}{} ago", n, unit, n == 1 ? "" : "s");
}

// "5 minutes ago": a page without script cannot know the reader's clock or time zone, but it knows how long it is.
std::string ago(epoch_ms then, epoch_ms now) {
  auto const s = (now - then) / 1000;
  if (s < 60) return "just now";
  if (s < 3600) return plural(s / 60, "minute");
  if (s < 86400) return plural(s / 3600, "hour");
  return plural(s / 86400, "day");
}

// A time that lies outside of what a calendar can say is not said at all.
void append_time(std::string& out, std::string_view what, std::optional<epoch_ms> const& t, epoch_ms now) {
  constexpr epoch_ms year_9999 = 253'402'300'799'000;
  if (!t || *t > year_9999) return;
  auto const utc = fmt::gmtime(static_cast<std::time_t>(*t / 1000));
  out += fmt::format(
      "<small>{} <time datetime=\"{:%Y-%m-%dT%H:%M:%SZ}\" title=\"{:%Y-%m-%d %H:%M} UTC\">{}</time></small>", what, utc,
      utc, ago(*t, now));
}

void append_button(std::string& out, std::string_view action, std::string_view label, std::string_view spoken) {
  out += "<form method=\"post\" action=\"/.doorward/sessions";
  out += action;
  out += "\"><button aria-label=\"";
  append_html_escaped(out, spoken);
  out += "\">";
  out += label;
  out += "</button></form>";
}

void append_session(std::string& out, session::listed_session const& s, bool own, epoch_ms now) {
  auto const device = s.device.empty() ? std::string("Unknown device") : s.device;
  out += "<li><div><strong>";
  append_html_escaped(out, device);
  out += own ? "</strong> (this one)" : "</strong>";
  if (!s.address.empty()) {
    out += "<small>";
    append_html_escaped(out, s.address);
    out += "</small>";
  }
  append_time(out, "Logged in", s.created, now);
  append_time(out, "Last seen", s.last_seen, now);
  out += "</div>";
  append_button(out, "/" + s.handle, "Log out", own ? "Log out here" : "Log out " + device + " " + s.address);
  out += "</li>\n";
}

}  // namespace

std::string sessions_page(std::span<session::listed_session const> all, std::string_view own_key, epoch_ms now) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>Where you are logged in</title>\n<style>";
  out += sessions_page_style;
  out += "</style>\n</head>\n<body>\n<main>\n<h1>Where you are logged in</h1>\n<ul>\n";
  for (auto const& s : all)
    append_session(out, s, s.key == own_key, now);
  out += "</ul>\n<div class=\"all\">\n";
  if (all.size() > 1) append_button(out, "?others=1", "Log out all others", "Log out all others");
  append_button(out, "?all=1", "Log out everywhere", "Log out everywhere, here too");
  out += "\n</div>\n</main>\n</body>\n</html>\n";
  return out;
}

}  // namespace doorward::pipeline
