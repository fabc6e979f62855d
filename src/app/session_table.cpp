#include "app/session_table.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "doorward/obs/terminal.hpp"

namespace doorward::app {
namespace {

// What a calendar cannot say is not said.
std::string utc(std::optional<epoch_ms> const& t) {
  constexpr epoch_ms year_9999 = 253'402'300'799'000;
  if (!t || *t < 0 || *t > year_9999) return "-";
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(*t / 1000)));
}

std::string or_dash(std::string_view text) {
  return text.empty() ? "-" : for_terminal(text);
}

// Places on the screen, near enough: characters, not bytes.
std::size_t width_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

template <std::size_t Columns>
std::string aligned(std::vector<std::array<std::string, Columns>> const& rows) {
  std::array<std::size_t, Columns> widths{};
  for (auto const& row : rows)
    for (std::size_t i = 0; i < Columns; ++i)
      widths[i] = std::max(widths[i], width_of(row[i]));
  std::string out;
  for (auto const& row : rows) {
    for (std::size_t i = 0; i < Columns; ++i) {
      out += row[i];
      if (i + 1 < Columns) out.append(widths[i] - width_of(row[i]) + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

}  // namespace

std::string for_terminal(std::string_view text) {
  std::string out;
  obs::append_for_terminal(out, text);
  return out;
}

std::string time_left(milliseconds left) {
  using namespace std::chrono;
  auto const s = duration_cast<seconds>(left).count();
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m", s / 60);
  if (s < 86'400) return fmt::format("{}h {}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d {}h", s / 86'400, s / 3600 % 24);
}

std::string session_table(std::span<session::listed_session const> all) {
  std::vector<std::array<std::string, 6>> rows{
      {"HANDLE", "LOGGED IN (UTC)", "LAST SEEN (UTC)", "ENDS IN", "ADDRESS", "DEVICE"}};
  for (auto const& s : all)
    rows.push_back({s.handle, utc(s.created), utc(s.last_seen), s.left ? time_left(*s.left) : "-", or_dash(s.address),
                    or_dash(s.device)});
  return aligned(rows);
}

std::string session_sheet(session::details const& d) {
  auto const& s = d.summary;
  std::vector<std::array<std::string, 2>> rows{
      {"user", for_terminal(d.user)},
      {"handle", s.handle},
      {"logged in (UTC)", utc(s.created)},
      {"last seen (UTC)", utc(s.last_seen)},
      {"ends in", s.left ? time_left(*s.left) : "-"},
      {"at the latest (UTC)",
       utc(d.absolute_until) + (d.what == session::outcome::expired ? ", which has passed" : "")},
      {"address", or_dash(s.address)},
      {"device", or_dash(s.device)}};
  for (auto const& [name, value] : d.fields)
    rows.push_back({"field " + for_terminal(name), for_terminal(value)});
  return aligned(rows);
}

}  // namespace doorward::app
