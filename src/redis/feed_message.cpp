#include "redis/feed_message.hpp"

#include <charconv>

namespace doorward::redis {
namespace {

constexpr std::size_t longest_line = 1024;
constexpr long long longest_string = 512 * 1024;

struct cursor {
  std::string_view bytes;
  std::size_t at = 0;
  std::size_t elements = 0;

  feed_parsed line(std::string_view& out) {
    auto const end = bytes.find("\r\n", at);
    if (end == std::string_view::npos)
      return bytes.size() - at > longest_line ? feed_parsed::broken : feed_parsed::part;
    out = bytes.substr(at, end - at);
    if (out.size() > longest_line) return feed_parsed::broken;
    at = end + 2;
    return feed_parsed::whole;
  }

  feed_parsed number(long long& out) {
    std::string_view text;
    if (auto const p = line(text); p != feed_parsed::whole) return p;
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
    return ec == std::errc{} && end == text.data() + text.size() ? feed_parsed::whole : feed_parsed::broken;
  }

  feed_parsed value(feed_message& into, int depth);
  feed_parsed string(feed_message& into, int depth);
  feed_parsed array(feed_message& into, int depth);
};

feed_parsed cursor::string(feed_message& into, int depth) {
  long long length = 0;
  if (auto const p = number(length); p != feed_parsed::whole) return p;
  if (length == -1) {
    into.has_nil = true;
    return feed_parsed::whole;
  }
  if (length < 0 || length > longest_string) return feed_parsed::broken;
  auto const size = static_cast<std::size_t>(length);
  if (bytes.size() - at < size + 2) return feed_parsed::part;
  auto const text = bytes.substr(at, size);
  if (bytes.substr(at + size, 2) != "\r\n") return feed_parsed::broken;
  at += size + 2;
  if (depth == 0)
    into.text = text;
  else
    into.texts.push_back(text);
  return feed_parsed::whole;
}

feed_parsed cursor::array(feed_message& into, int depth) {
  long long count = 0;
  if (auto const p = number(count); p != feed_parsed::whole) return p;
  if (count == -1) {
    into.has_nil = true;
    return feed_parsed::whole;
  }
  if (count < 0 || depth == feed_message::deepest) return feed_parsed::broken;
  if (static_cast<unsigned long long>(count) > feed_message::most_elements - elements) return feed_parsed::broken;
  elements += static_cast<std::size_t>(count);
  for (; count > 0; --count)
    if (auto const p = value(into, depth + 1); p != feed_parsed::whole) return p;
  return feed_parsed::whole;
}

feed_parsed cursor::value(feed_message& into, int depth) {
  if (at == bytes.size()) return feed_parsed::part;
  char const type = bytes[at++];
  if (depth == 0) into.type = type;
  switch (type) {
    case '$': return string(into, depth);
    case '*': return array(into, depth);
    case ':': return number(into.integer);
    case '+':
    case '-': {
      std::string_view text;
      auto const p = line(text);
      if (depth == 0) into.text = text;
      return p;
    }
    default: return feed_parsed::broken;
  }
}

}  // namespace

feed_parsed parse_feed_message(std::string_view bytes, feed_message& into, std::size_t& used) {
  into.text = {};
  into.texts.clear();
  into.has_nil = false;
  cursor c{bytes};
  auto const p = c.value(into, 0);
  used = c.at;
  return p;
}

}  // namespace doorward::redis
