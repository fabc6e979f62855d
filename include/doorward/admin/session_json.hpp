#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "doorward/session/details.hpp"
#include "doorward/session/store.hpp"

/// Sessions as programs see them that act for an operator: the admin listener's `/sessions` and `doorward session` say
/// the same. Times are milliseconds since the epoch, `ends_in` is seconds. No key and no id is in it; bytes that are
/// not UTF-8 become U+FFFD. One line, with its end.
namespace doorward::admin {

[[nodiscard]] std::string sessions_json(std::string_view user, std::span<session::listed_session const> all);
[[nodiscard]] std::string session_json(std::string_view user, session::listed_session const& one);
/// With all fields of the record.
[[nodiscard]] std::string details_json(session::details const& d);
/// How many sessions were ended; without a user, everybody's.
[[nodiscard]] std::string ended_json(std::optional<std::string_view> user, std::uint64_t count);

}  // namespace doorward::admin
