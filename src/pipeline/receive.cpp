#include <algorithm>

#include "doorward/auth/request_checks.hpp"
#include "doorward/http/host.hpp"
#include "pipeline/stages.hpp"

namespace doorward::pipeline {

void exchange::begin(downstream& d, std::string_view bytes) {
  client = &d;
  head_bytes = bytes;
  head.clear();
  host.clear();
  path = {};
  query = {};
  has_query = false;
  navigation = false;
  kept.clear();
  cookie_fields.clear();
  cookies = {};
  envelope_fault = {};
  id = obs::new_request_id(worker.random);
  request_id = obs::view(id);
  traceparent = {};
  client_address = d.from.text;
  hops.clear();
  passive = false;
  route = nullptr;
  route_index = obs::worker_metrics::no_route;
  session.reset(worker.view.fields);
  session_id = {};
  expire_cookie = false;
  looks_like = {};
  upstream_path.clear();
  upstream_head.clear();
  upstream_buffer.rewind(0);
  proxy = {};
  answered = false;
  close = worker.draining;
  abort = false;
  set_cookie.clear();
  refused.reset();
  retry_after = 0;
  decision = obs::decision::own;
  status = 0;
  session_end.reset();
  tunnel_bytes_in = 0;
  bytes_out = 0;
  began = steady::now();
  store_time = {};
  queue_time = {};
  upstream_time = {};
  client_time = {};
}

result<void> take_target(exchange& x, std::string_view whole) {
  auto const target = http::split_target(whole);
  // The query is passed on as it came, so it must be one that every server ends in the same place.
  if (!std::ranges::all_of(target.query, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; }))
    return errc::bad_request;
  auto const path = http::canonicalise(target.path, x.path_storage);
  if (!path) return path.error();
  x.path = *path;
  x.query = target.query;
  x.has_query = target.has_query;
  return {};
}

result<void> receive(exchange& x) {
  if (auto r = http::parse_request_head(x.head_bytes, x.view().limits, x.head); !r) return r;
  x.client->start_body(x.head.body, x.head.content_length, x.head.expects_continue);
  if (!x.head.keep_alive) x.close = true;
  x.navigation = auth::is_navigation(x.head);

  // HTTP/1.0 may come without a Host; it then matches routes of any host only.
  if (!x.head.host.empty() || x.head.minor_version == 1)
    if (auto r = http::normalise_host(x.head.host, x.host); !r) return r;

  if (auto r = take_target(x, x.head.target); !r) return r;
  // TRACE would send back to a page's script what no script may see (cookies, injected headers).
  if (x.head.verb == http::method::trace) return errc::method_not_allowed;
  return {};
}

}  // namespace doorward::pipeline
