// A PROXY header: what has been read of it stays true however much more comes, and no more is taken than it is.
#include <algorithm>
#include <string>

#include "doorward/net/proxy_header.hpp"
#include "require.hpp"

using namespace doorward;
using state = net::proxy_header::state;

int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const bytes = text(data, size);
  auto const whole = net::read_proxy_header(bytes);
  if (whole.outcome == state::complete) {
    require(whole.size <= size && whole.size <= net::longest_proxy_header, "it ends within what came");
    require(net::read_proxy_header(bytes.substr(0, whole.size)).outcome == state::complete,
            "nothing behind it matters");
    require(net::read_proxy_header(bytes.substr(0, whole.size - 1)).outcome == state::incomplete, "and all of it does");
  }
  if (whole.outcome == state::malformed) {
    std::string const more = std::string(bytes) + "\r\n";
    require(net::read_proxy_header(more).outcome == state::malformed, "what is wrong does not become right");
  }
  if (whole.outcome == state::incomplete) require(size < net::longest_proxy_header, "waiting has an end");
  return 0;
}
