#include "doorward/obs/trace.hpp"

#include <algorithm>

#include "doorward/base/encoding.hpp"

namespace doorward::obs {
namespace {

constexpr std::size_t version_end = 2;
constexpr std::size_t trace_at = 3;
constexpr std::size_t parent_at = 36;
constexpr std::size_t flags_at = 53;
constexpr std::size_t length = 55;

// HEXDIGLC of the specification: upper case is not allowed.
bool is_lower_hex(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) noexcept {
  return text.find_first_not_of('0') == std::string_view::npos;
}

std::uint64_t non_zero(fast_random& random) noexcept {
  std::uint64_t bits = 0;
  while (bits == 0)
    bits = random();
  return bits;
}

}  // namespace

std::optional<trace_context> parse_traceparent(std::string_view text) noexcept {
  if (text.size() < length) return std::nullopt;
  auto const version = text.substr(0, version_end);
  if (!is_lower_hex(version) || version == "ff") return std::nullopt;
  if (text.size() > length && (version == "00" || text[length] != '-')) return std::nullopt;

  auto const trace = text.substr(trace_at, 32);
  auto const parent = text.substr(parent_at, 16);
  auto const flags = text.substr(flags_at, 2);
  if (text[trace_at - 1] != '-' || text[parent_at - 1] != '-' || text[flags_at - 1] != '-') return std::nullopt;
  if (!is_lower_hex(trace) || !is_lower_hex(parent) || !is_lower_hex(flags)) return std::nullopt;
  if (is_zero(trace) || is_zero(parent)) return std::nullopt;

  trace_context c;
  std::ranges::copy(trace, c.trace.begin());
  std::ranges::copy(parent, c.parent.begin());
  auto const low = flags[1];
  c.sampled = ((low >= 'a' ? low - 'a' + 10 : low - '0') & 1) != 0;
  return c;
}

std::array<char, 55> format_traceparent(trace_context const& c) noexcept {
  std::array<char, length> out{};
  out.fill('-');
  out[0] = out[1] = '0';
  std::ranges::copy(c.trace, out.begin() + trace_at);
  std::ranges::copy(c.parent, out.begin() + parent_at);
  out[flags_at] = '0';
  out[flags_at + 1] = c.sampled ? '1' : '0';
  return out;
}

span_id new_span_id(fast_random& random) noexcept {
  span_id id{};
  hex64(non_zero(random), id.data());
  return id;
}

request_id new_request_id(fast_random& random) noexcept {
  request_id id{};
  hex64(non_zero(random), id.data());
  hex64(random(), id.data() + 16);
  return id;
}

}  // namespace doorward::obs
