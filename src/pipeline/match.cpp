#include "pipeline/stages.hpp"

namespace doorward::pipeline {

result<void> match(exchange& x) {
  using outcome = doorward::route::match::outcome;
  auto const found = x.view().table.find({x.head.method_token, x.host, x.path});
  switch (found.result) {
    case outcome::found:
      x.route_index = found.index;
      x.route = &x.view().routes[found.index];
      if (x.head.body == http::framing::length && x.head.content_length > x.route->body_limit)
        return errc::body_too_large;
      return {};
    case outcome::no_route: return errc::no_route;
    case outcome::method_not_allowed: return errc::method_not_allowed;
    case outcome::ambiguous: return errc::ambiguous_path;
  }
  return errc::internal;
}

}  // namespace doorward::pipeline
