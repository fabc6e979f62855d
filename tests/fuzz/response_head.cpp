// A response head of an upstream, as an answer to GET and to HEAD.
#include "doorward/http/head.hpp"
#include "require.hpp"

using namespace doorward;

int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const bytes = text(data, size);
  http::head_limits const limits{4096, 32, 1024};
  std::size_t from = 0;
  auto const end = http::find_head_end(bytes, from, limits);
  if (!end || *end == 0) return 0;
  http::response_head head;
  if (http::parse_response_head(bytes.substr(0, *end), limits, http::method::head, head))
    require(head.body == http::framing::none, "an answer to HEAD has no body");
  if (!http::parse_response_head(bytes.substr(0, *end), limits, http::method::get, head)) return 0;
  require(head.status >= 100 && head.status <= 999, "a status has three digits");
  if (head.status / 100 == 1 || head.status == 204 || head.status == 304)
    require(head.body == http::framing::none, "what has no body has none");
  require(head.reason.find_first_of(std::string_view("\r\n\0", 3)) == head.reason.npos, "a reason is one line");
  return 0;
}
