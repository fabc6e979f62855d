// Cookie and Forwarded: our cookie is found or not, and once removed it is not found again.
#include <string>
#include <vector>

#include "doorward/http/cookies.hpp"
#include "doorward/http/forwarded.hpp"
#include "require.hpp"

using namespace doorward;

int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const field = text(data, size);
  http::session_cookies found;
  http::find_session_cookies(field, "sid", {}, found);
  require(found.count <= found.ids.size(), "as many as there is room for");
  for (std::size_t i = 0; i < found.count; ++i)
    require(http::is_session_id(found.ids[i]), "what is found may be an id");
  require(found.present || found.count == 0, "found means present");

  std::string rest;
  if (http::append_without_cookie(rest, field, "sid")) {
    http::session_cookies left;
    http::find_session_cookies(rest, "sid", {}, left);
    require(!left.present, "what was removed is gone");
    require(rest.size() <= field.size(), "nothing was added");
  } else {
    require(rest.empty(), "nothing is nothing");
  }

  std::vector<std::string_view> nodes;
  if (http::append_forwarded_for(field, nodes))
    for (auto const node : nodes)
      require(http::node_address(node).size() <= node.size(), "an address is part of its node");
  else
    require(nodes.empty(), "all or nothing");
  return 0;
}
