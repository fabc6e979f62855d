#include "doorward/http/chunked.hpp"

#include <algorithm>
#include <limits>

#include "doorward/base/encoding.hpp"
#include "doorward/base/errc.hpp"
#include "doorward/http/token.hpp"

namespace doorward::http {
namespace {

constexpr std::uint32_t most_extension = 256;
constexpr std::uint32_t most_extensions = 16 * 1024;
constexpr unsigned most_digits = 16;
// Somebody further on will keep the size in a signed integer.
constexpr std::uint64_t most_size = std::numeric_limits<std::int64_t>::max();

constexpr bool is_blank(unsigned char c) noexcept {
  return c == ' ' || c == '\t';
}
// What a field value or a quoted string is made of, quotes aside (RFC 9110 sections 5.5 and 5.6.4).
constexpr bool is_text(unsigned char c) noexcept {
  return c == '\t' || (c >= ' ' && c != 0x7f);
}

}  // namespace

auto chunked_decoder::after_size(unsigned char c) noexcept -> state {
  if (auto const digit = hex_value(static_cast<char>(c)); digit >= 0) {
    remaining_ = remaining_ * 16 + static_cast<unsigned>(digit);
    return ++digits_ <= most_digits && remaining_ <= most_size ? state::size : state::failed;
  }
  if (state_ == state::size_first) return state::failed;
  if (c == '\r') return state::size_line_feed;
  if (c == ';') return state::ext_start;
  return is_blank(c) ? state::size_blank : state::failed;
}

// chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ); nobody needs them, so they are read only
// to be sure where the line ends.
auto chunked_decoder::after_extension(unsigned char c) noexcept -> state {
  switch (state_) {
    case state::size_blank:
      if (c == ';') return state::ext_start;
      return is_blank(c) ? state_ : state::failed;
    case state::ext_start:
      if (is_token_byte(c)) return state::ext_name;
      return is_blank(c) ? state_ : state::failed;
    case state::ext_name:
      if (is_token_byte(c)) return state_;
      if (c == '\r') return state::size_line_feed;
      [[fallthrough]];
    case state::ext_name_blank:
      if (c == '=') return state::ext_value_start;
      if (c == ';') return state::ext_start;
      return is_blank(c) ? state::ext_name_blank : state::failed;
    case state::ext_value_start:
      if (is_token_byte(c)) return state::ext_value;
      if (c == '"') return state::ext_quoted;
      return is_blank(c) ? state_ : state::failed;
    case state::ext_quoted:
      if (c == '"') return state::ext_quoted_end;
      if (c == '\\') return state::ext_escaped;
      return is_text(c) ? state_ : state::failed;
    case state::ext_escaped: return is_text(c) ? state::ext_quoted : state::failed;
    case state::ext_value:
      if (is_token_byte(c)) return state_;
      [[fallthrough]];
    case state::ext_quoted_end:
      if (c == '\r') return state::size_line_feed;
      [[fallthrough]];
    default:  // ext_value_blank
      if (c == ';') return state::ext_start;
      return is_blank(c) ? state::ext_value_blank : state::failed;
  }
}

auto chunked_decoder::after_trailer(unsigned char c) noexcept -> state {
  switch (state_) {
    case state::trailer_first:
      if (c == '\r') return state::end_line_feed;
      return is_token_byte(c) ? state::trailer_name : state::failed;
    case state::trailer_name:
      if (c == ':') return state::trailer_value;
      return is_token_byte(c) ? state_ : state::failed;
    case state::trailer_value:
      if (c == '\r') return state::trailer_line_feed;
      return is_text(c) ? state_ : state::failed;
    case state::trailer_line_feed: return c == '\n' ? state::trailer_first : state::failed;
    default:  // end_line_feed
      return c == '\n' ? state::done : state::failed;
  }
}

// The state after one byte that is not data.
auto chunked_decoder::after(unsigned char c) noexcept -> state {
  switch (state_) {
    case state::size_first:
    case state::size: {
      auto const next = after_size(c);
      if (next == state::ext_start || next == state::size_blank) ++extension_bytes_;
      return next;
    }
    case state::size_line_feed:
      if (c != '\n') return state::failed;
      extensions_bytes_ += extension_bytes_;
      extension_bytes_ = 0;
      digits_ = 0;
      return remaining_ > 0 ? state::data : state::trailer_first;
    case state::data_return: return c == '\r' ? state::data_line_feed : state::failed;
    case state::data_line_feed: return c == '\n' ? state::size_first : state::failed;
    case state::end_line_feed: return after_trailer(c);
    case state::trailer_first:
    case state::trailer_name:
    case state::trailer_value:
    case state::trailer_line_feed: {
      auto const next = after_trailer(c);
      if (next != state::end_line_feed && ++trailer_bytes_ > trailer_limit_) return state::failed;
      return next;
    }
    default: {
      auto const next = after_extension(c);
      if (next == state::size_line_feed) return next;
      ++extension_bytes_;
      bool const over = extension_bytes_ > most_extension || extensions_bytes_ + extension_bytes_ > most_extensions;
      return over ? state::failed : next;
    }
  }
}

result<chunked_decoder::step> chunked_decoder::feed(std::span<char> input) noexcept {
  step taken;
  while (taken.consumed < input.size() && state_ != state::done && state_ != state::failed) {
    if (state_ != state::data) {
      state_ = after(static_cast<unsigned char>(input[taken.consumed++]));
      continue;
    }
    auto const left = input.size() - taken.consumed;
    auto const run = remaining_ < left ? static_cast<std::size_t>(remaining_) : left;
    taken.data = input.subspan(taken.consumed, run);
    taken.consumed += run;
    remaining_ -= run;
    if (remaining_ == 0) state_ = state::data_return;
    return taken;
  }
  if (state_ == state::failed) return errc::bad_request;
  taken.finished = finished();
  return taken;
}

}  // namespace doorward::http
