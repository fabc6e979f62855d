#pragma once

#include <span>
#include <string>
#include <string_view>

#include "doorward/session/details.hpp"
#include "doorward/session/store.hpp"

/// Sessions for people at a terminal. What came from clients (a device's name) is shown, and not obeyed. Pure.
namespace doorward::app {

/// A line a session, in the order given, under a line of names.
[[nodiscard]] std::string session_table(std::span<session::listed_session const> all);
/// A line for each thing that is known of one, its fields at the end.
[[nodiscard]] std::string session_sheet(session::details const& d);

/// As a cell of a table.
[[nodiscard]] std::string for_terminal(std::string_view text);
/// "29m", "11h 58m", "13d 4h".
[[nodiscard]] std::string time_left(milliseconds left);

}  // namespace doorward::app
