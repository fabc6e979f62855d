#include "doorward/session/likeness.hpp"

#include <algorithm>

#include "doorward/base/utf8.hpp"

namespace doorward::session {
namespace {

using encoding = config::session_encoding;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

unsigned byte_at(std::string_view text, std::size_t i) noexcept {
  return i < text.size() ? static_cast<unsigned char>(text[i]) : 0x100U;
}

// "s:5:", "a:2:", "i:7;", "N;": how a value of PHP's serialize() begins.
bool begins_like_php_value(std::string_view text) noexcept {
  if (text.starts_with("N;")) return true;
  if (text.size() < 4 || std::string_view("abdisOCE").find(text[0]) == std::string_view::npos || text[1] != ':')
    return false;
  return is_digit(text[2]) || (text[2] == '-' && is_digit(text[3]));
}

bool looks_like_php(std::string_view text) noexcept {
  if (begins_like_php_value(text)) return true;
  constexpr std::size_t longest_name = 128;
  auto const bar = text.substr(0, longest_name).find('|');
  return bar != text.npos && bar > 0 && begins_like_php_value(text.substr(bar + 1));
}

bool looks_like_pickle(std::string_view text) noexcept {
  if (byte_at(text, 0) == 0x80) return byte_at(text, 1) >= 2 && byte_at(text, 1) <= 5;
  return text.starts_with("}q") || text.starts_with("(dp") || text.starts_with("(lp") || text.starts_with("(i");
}

bool looks_like_msgpack(std::string_view text) noexcept {
  auto const c = byte_at(text, 0);
  return (c >= 0x80 && c <= 0x8f) || c == 0xde || c == 0xdf;
}

bool looks_like_igbinary(std::string_view text) noexcept {
  auto const version = byte_at(text, 3);
  return text.starts_with(std::string_view("\0\0\0", 3)) && (version == 1 || version == 2);
}

std::string_view hint_for_type(encoding e) noexcept {
  if (e == encoding::hash || e == encoding::spring)
    return "the key is no hash: session.encoding json or php reads a string, redisjson a document of RedisJSON";
  return "the key is of another type: session.encoding hash or spring reads a hash, json or php a string, redisjson a "
         "document of RedisJSON";
}

// It looks like what it should be, and is not.
constexpr std::string_view broken =
    "it is cut off or not well-formed, or a field that is wanted is there twice, is not UTF-8, or is neither text, "
    "number nor boolean; a list is read for session.fields.roles only";

}  // namespace

likeness likeness_of(std::string_view r) noexcept {
  if (r.empty()) return likeness::nothing;
  if (r.starts_with("\xac\xed")) return likeness::java;
  if (looks_like_igbinary(r)) return likeness::igbinary;
  if (looks_like_pickle(r)) return likeness::pickle;
  if (looks_like_php(r)) return likeness::php;
  auto const first = r.find_first_not_of(" \t\r\n");
  if (first != r.npos && (r[first] == '{' || r[first] == '[')) return likeness::json;
  if (looks_like_msgpack(r)) return likeness::msgpack;
  constexpr std::size_t looked_at = 64;
  auto const head = r.substr(0, looked_at);
  bool const readable = std::ranges::none_of(
      head, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t'; });
  return readable && (r.size() > looked_at || is_utf8(r)) ? likeness::text : likeness::bytes;
}

std::string_view describe(likeness l) noexcept {
  switch (l) {
    case likeness::nothing: return "nothing";
    case likeness::json: return "JSON";
    case likeness::php: return "PHP's serialize()";
    case likeness::igbinary: return "igbinary";
    case likeness::pickle: return "a Python pickle";
    case likeness::msgpack: return "msgpack";
    case likeness::java: return "Java serialization";
    case likeness::no_times: return "a hash that is not Spring Session's";
    case likeness::text: return "some other text";
    case likeness::bytes: return "some other bytes";
  }
  return "";
}

std::string_view hint_for(encoding e, outcome what, likeness l) noexcept {
  if (what == outcome::wrong_type) return hint_for_type(e);
  switch (l) {
    case likeness::json:
      return e == encoding::json || e == encoding::redisjson || e == encoding::spring ? broken
                                                                                      : "set session.encoding: json";
    case likeness::php: return e == encoding::php ? broken : "set session.encoding: php";
    case likeness::igbinary: return "set session.serialize_handler = php_serialize in php.ini";
    case likeness::pickle:
      return "a pickle is a program, so it is never read: let the application keep its sessions as JSON "
             "(docs/foreign-sessions.md)";
    case likeness::msgpack: return "msgpack is not read: let the application keep its sessions as JSON";
    case likeness::java:
      return e == encoding::spring ? "a field that is wanted is an object: only String, Long, Integer, Short and "
                                     "Boolean are read; put it into an attribute of its own, or keep JSON"
                                   : "objects of Java are not read; Spring Session's hash is, by session.encoding: "
                                     "spring";
    case likeness::no_times:
      return "it lacks creationTime, lastAccessedTime or maxInactiveInterval, or they cannot be read: session.encoding "
             "hash "
             "reads other hashes";
    case likeness::nothing:
    case likeness::text:
    case likeness::bytes: break;
  }
  return "it is none of the forms that are read (docs/foreign-sessions.md); does session.key name what the application "
         "writes?";
}

}  // namespace doorward::session
