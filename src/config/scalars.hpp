#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/complaint.hpp"
#include "doorward/base/time.hpp"

namespace doorward::config {

// Patterns of ECMA 262 for the JSON Schema.
inline constexpr char duration_pattern[] = "^[0-9]+(ms|s|m|h|d)$";
inline constexpr char size_pattern[] = "^[0-9]+(B|KiB|MiB|GiB)$";

/// `250ms`, `30s`, `30m`, `12h`, `30d`: one whole number and its unit.
[[nodiscard]] parsed<milliseconds> parse_duration(std::string_view text);

/// `512B`, `64KiB`, `10MiB`, `1GiB`.
[[nodiscard]] parsed<std::uint64_t> parse_size(std::string_view text);

/// Decimal digits, with a `-` in front if need be.
[[nodiscard]] parsed<std::int64_t> parse_integer(std::string_view text);

/// `0.25`, `1`: digits with at most one point.
[[nodiscard]] parsed<double> parse_number(std::string_view text);

/// The shortest form the parsers above read back to the same value.
[[nodiscard]] std::string duration_text(milliseconds value);
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace doorward::config
