// What Redis tells the near-cache: where it is cut must not matter, and waiting for the rest has an end.
#include <string>

#include "redis/feed_message.hpp"
#include "require.hpp"

using namespace doorward::redis;

namespace {

std::string told(feed_message const& m) {
  std::string out{m.type};
  out += m.text;
  for (auto const t : m.texts)
    out.append("[").append(t).append("]");
  return out + (m.has_nil ? "nil" : "");
}

}  // namespace

int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const bytes = text(data, size);
  feed_message m;
  std::size_t used = 0;
  auto const whole = parse_feed_message(bytes, m, used);
  require(m.texts.size() <= feed_message::most_elements, "there are not too many");
  if (whole == feed_parsed::whole) {
    require(used > 0 && used <= size, "it ends within what came");
    auto const before = told(m);
    auto const length = used;
    require(parse_feed_message(bytes.substr(0, length), m, used) == feed_parsed::whole && told(m) == before,
            "nothing behind it matters");
    require(parse_feed_message(bytes.substr(0, length - 1), m, used) == feed_parsed::part, "and all of it does");
  }
  if (whole == feed_parsed::broken) {
    std::string const more = std::string(bytes) + "\r\n";
    require(parse_feed_message(more, m, used) == feed_parsed::broken, "what is wrong does not become right");
  }
  return 0;
}
