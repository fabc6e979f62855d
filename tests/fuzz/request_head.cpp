// A request head: however it is cut into reads, the same end is found; what is accepted has one reading.
#include <algorithm>

#include "doorward/base/encoding.hpp"
#include "doorward/http/head.hpp"
#include "require.hpp"

using namespace doorward;

int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const bytes = text(data, size);
  http::head_limits const limits{4096, 32, 1024};

  std::size_t from = 0;
  auto const end = http::find_head_end(bytes, from, limits);
  std::size_t piecewise = 0;
  for (std::size_t so_far = 1; so_far <= size; ++so_far) {
    auto const one = http::find_head_end(bytes.substr(0, so_far), piecewise, limits);
    if (!one) {
      require(!end, "an error that shows in pieces shows in the whole");
      break;
    }
    if (*one == 0) continue;
    require(end && *one == *end, "the end is the same in pieces");
    break;
  }
  if (!end || *end == 0) return 0;

  http::request_head head;
  auto const block = bytes.substr(0, *end);
  if (!http::parse_request_head(block, limits, head)) return 0;
  require(head.fields.size() <= limits.fields, "no more fields than allowed");
  auto const inside = [&](std::string_view part) {
    return part.empty() || (part.data() >= block.data() && part.data() + part.size() <= block.data() + block.size());
  };
  std::size_t hosts = 0;
  std::size_t framings = 0;
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    auto const& f = head.fields[i];
    require(inside(f.name) && inside(f.value) && inside(head.raw_line(i)), "views are into the input");
    require(!f.name.empty(), "a field has a name");
    require(f.name.find_first_of(" \t\r\n:") == f.name.npos, "a name is a token");
    require(f.value.find_first_of(std::string_view("\r\n\0", 3)) == f.value.npos, "a value is one line");
    hosts += iequals(f.name, "host");
    framings += iequals(f.name, "content-length") || iequals(f.name, "transfer-encoding");
  }
  require(hosts <= 1, "one Host");
  require(framings <= 1, "one framing");
  require(head.body == http::framing::none || framings == 1 || head.content_length == 0, "a body is announced");
  return 0;
}
