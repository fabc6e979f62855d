#include "session/java_value.hpp"

#include <algorithm>
#include <cstdint>

#include "doorward/base/utf8.hpp"

namespace doorward::session {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view stream = "\xac\xed\x00\x05"sv;  // STREAM_MAGIC, STREAM_VERSION

// TC_OBJECT, TC_CLASSDESC, the class's name and serialVersionUID, SC_SERIALIZABLE, one field `value` and its type,
// TC_ENDBLOCKDATA, and the superclass: java.lang.Number with nothing in it, or none.
#define DOORWARD_JAVA_NUMBER "\x78\x72\x00\x10java.lang.Number\x86\xac\x95\x1d\x0b\x94\xe0\x8b\x02\x00\x00\x78\x70"

constexpr std::string_view long_object =
    "\x73\x72\x00\x0ejava.lang.Long\x3b\x8b\xe4\x90\xcc\x8f\x23\xdf\x02\x00\x01J\x00\x05value" DOORWARD_JAVA_NUMBER
    ""sv;
constexpr std::string_view integer_object =
    "\x73\x72\x00\x11java.lang.Integer\x12\xe2\xa0\xa4\xf7\x81\x87\x38\x02\x00\x01I\x00\x05value" DOORWARD_JAVA_NUMBER
    ""sv;
constexpr std::string_view short_object =
    "\x73\x72\x00\x0fjava.lang.Short\x68\x4d\x37\x13\x34\x60\xda\x52\x02\x00\x01S\x00\x05value" DOORWARD_JAVA_NUMBER
    ""sv;
constexpr std::string_view boolean_object =
    "\x73\x72\x00\x11java.lang.Boolean\xcd\x20\x72\x80\xd5\x9c\xfa\xee\x02\x00\x01Z\x00\x05value\x78\x70"sv;

#undef DOORWARD_JAVA_NUMBER

std::uint64_t big_endian(std::string_view bytes) noexcept {
  std::uint64_t n = 0;
  for (char const c : bytes)
    n = (n << 8) | static_cast<unsigned char>(c);
  return n;
}

// `object` and, behind it, a number of T's size and nothing more.
template <class T>
std::optional<std::string> number(std::string_view bytes, std::string_view object) {
  if (bytes.size() != object.size() + sizeof(T) || !bytes.starts_with(object)) return std::nullopt;
  return std::to_string(static_cast<T>(big_endian(bytes.substr(object.size()))));
}

std::optional<std::string> boolean(std::string_view bytes) {
  if (bytes.size() != boolean_object.size() + 1 || !bytes.starts_with(boolean_object)) return std::nullopt;
  if (bytes.back() == '\x01') return "true";
  if (bytes.back() == '\x00') return "false";
  return std::nullopt;
}

// One unit of UTF-16 in up to three bytes, as modified UTF-8 has it; 0 length = it is none.
struct unit {
  std::size_t length;
  std::uint32_t value;
};
unit take_unit(std::string_view text) noexcept {
  auto const byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  auto const tail = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  auto const c = byte(0);
  if (c >= 0x01 && c < 0x80) return {1, c};
  if ((c & 0xe0) == 0xc0 && tail(1)) {
    auto const value = ((c & 0x1f) << 6) | (byte(1) & 0x3f);
    return value >= 0x80 || value == 0 ? unit{2, value} : unit{0, 0};
  }
  if ((c & 0xf0) == 0xe0 && tail(1) && tail(2)) {
    auto const value = ((c & 0x0f) << 12) | ((byte(1) & 0x3f) << 6) | (byte(2) & 0x3f);
    return value >= 0x800 ? unit{3, value} : unit{0, 0};
  }
  return {0, 0};
}

void append_utf8(std::string& out, std::uint32_t c) {
  auto const put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | (c >> 6));
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3f));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

// Modified UTF-8: NUL in two bytes, and characters beyond 16 bits as the two halves of UTF-16, three bytes each.
std::optional<std::string> text(std::string_view rest) {
  std::string out;
  while (!rest.empty()) {
    auto const first = take_unit(rest);
    if (first.length == 0) return std::nullopt;
    rest.remove_prefix(first.length);
    auto c = first.value;
    if (c >= 0xdc00 && c <= 0xdfff) return std::nullopt;
    if (c >= 0xd800 && c <= 0xdbff) {
      auto const second = rest.empty() ? unit{0, 0} : take_unit(rest);
      if (second.length == 0 || second.value < 0xdc00 || second.value > 0xdfff) return std::nullopt;
      rest.remove_prefix(second.length);
      c = 0x10000 + ((c - 0xd800) << 10) + (second.value - 0xdc00);
    }
    append_utf8(out, c);
  }
  return out;
}

// TC_STRING, or TC_LONGSTRING with a length of eight bytes.
std::optional<std::string> string(std::string_view bytes) {
  auto const width = bytes.starts_with('\x74') ? 2U : bytes.starts_with('\x7c') ? 8U : 0U;
  if (width == 0 || bytes.size() < 1 + width) return std::nullopt;
  auto const content = bytes.substr(1 + width);
  if (big_endian(bytes.substr(1, width)) != content.size()) return std::nullopt;
  return text(content);
}

}  // namespace

bool is_java_value(std::string_view bytes) noexcept {
  return bytes.starts_with(stream.substr(0, 2));
}

bool is_java_text(std::string_view bytes) noexcept {
  auto const rest = bytes.substr(std::min(stream.size(), bytes.size()));
  return rest.starts_with('\x74') || rest.starts_with('\x7c');
}

std::optional<std::string> read_java_value(std::string_view bytes) {
  if (!bytes.starts_with(stream)) return std::nullopt;
  bytes.remove_prefix(stream.size());
  if (bytes.starts_with(long_object)) return number<std::int64_t>(bytes, long_object);
  if (bytes.starts_with(integer_object)) return number<std::int32_t>(bytes, integer_object);
  if (bytes.starts_with(short_object)) return number<std::int16_t>(bytes, short_object);
  if (bytes.starts_with(boolean_object)) return boolean(bytes);
  return string(bytes);
}

}  // namespace doorward::session
