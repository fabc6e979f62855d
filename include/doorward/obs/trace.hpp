#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "doorward/base/random.hpp"

namespace doorward::obs {

/// Lower-case hexadecimal, never all zeros.
using trace_id = std::array<char, 32>;
using span_id = std::array<char, 16>;
using request_id = std::array<char, 32>;

/// The content of a `traceparent` header (W3C Trace Context level 1, section 3.2).
struct trace_context {
  obs::trace_id trace{};
  span_id parent{};  ///< the span that sent the header
  bool sampled = false;

  friend bool operator==(trace_context const&, trace_context const&) = default;
};

/// Strict, as section 3.2.2 has it: version ff, upper case, zero ids and wrong lengths are nullopt. A version above 00
/// is read by the layout of 00, and may have more after it, set off by '-'. Flags other than `sampled` are dropped.
[[nodiscard]] std::optional<trace_context> parse_traceparent(std::string_view text) noexcept;

/// Version 00, 55 characters.
[[nodiscard]] std::array<char, 55> format_traceparent(trace_context const& c) noexcept;

[[nodiscard]] span_id new_span_id(fast_random& random) noexcept;

/// 128 random bits in hexadecimal. Where no trace came with the request, the id of the new trace is the same.
[[nodiscard]] request_id new_request_id(fast_random& random) noexcept;

template <std::size_t N>
[[nodiscard]] constexpr std::string_view view(std::array<char, N> const& text) noexcept {
  return {text.data(), N};
}

}  // namespace doorward::obs
