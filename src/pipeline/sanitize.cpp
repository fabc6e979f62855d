#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cctype>

#include "doorward/base/encoding.hpp"
#include "doorward/http/forwarded.hpp"
#include "doorward/session/key.hpp"
#include "pipeline/cookie_ids.hpp"
#include "pipeline/stages.hpp"

namespace doorward::pipeline {
namespace {

using http::field_id;

enum class verdict {
  keep,
  drop,        ///< not ours to pass on, or written anew later
  forged,      ///< only doorward may say that
  forwarding,  ///< passes on from a trusted proxy only
};

// What cannot be an id in the configured layout is none, and nobody is asked about it.
void drop_unfit_ids(http::session_cookies& c, config::session_config const& config) noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < c.count; ++i)
    if (session::fits_layout(config, c.ids[i])) c.ids[kept++] = c.ids[i];
  c.count = kept;
}

// The fields that are about one connection (RFC 9110 section 7.6.1), those that transform() writes anew, and those that
// no client may set.
verdict judge(http::field_line const& f, http::reserved_names const& reserved) noexcept {
  switch (f.id) {
    case field_id::connection:
    case field_id::keep_alive:
    case field_id::proxy_authenticate:
    case field_id::proxy_authorization:
    case field_id::proxy_connection:
    case field_id::te:
    case field_id::trailer:
    case field_id::transfer_encoding:
    case field_id::upgrade:
    case field_id::content_length:
    case field_id::expect:
    case field_id::host: return verdict::drop;
    default: break;
  }
  if (reserved.contains(f.name)) return verdict::forged;
  if (f.id != field_id::other && f.id != field_id::forwarded) return verdict::keep;
  // Some servers read X_User as X-User; a name that they confuse passes under neither spelling.
  if (f.name.find('_') != f.name.npos) return verdict::drop;
  if (iequals(f.name, "x-request-id") || iequals(f.name, "traceparent") || iequals(f.name, "x-forwarded-for"))
    return verdict::drop;  // a trusted proxy's is read, and written anew
  if (http::is_forwarding_name(f.name) || iequals(f.name, "tracestate")) return verdict::forwarding;
  return verdict::keep;
}

// `Connection: X` says that X is for this hop only. What doorward adds later is not touched by it.
void drop_named_by_connection(exchange& x) {
  for (auto const& f : x.head.fields) {
    if (f.id != field_id::connection) continue;
    http::for_each_token(f.value, [&](std::string_view token) {
      for (std::size_t i = 0; i < x.head.fields.size(); ++i) {
        if (!iequals(x.head.fields[i].name, token)) continue;
        x.kept[i] = false;
        if (x.head.fields[i].id == field_id::cookie) std::erase(x.cookie_fields, x.head.fields[i].value);
      }
    });
  }
}

// The one name of ours that is a client's to say. It takes nothing from anybody: its request does without something.
bool marks_passive(http::field_line const& f) noexcept {
  return f.value == "1" && iequals(f.name, "doorward-passive");
}

bool is_request_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' || c == '=' ||
           c == '/' || c == '+';
  });
}

// Nodes as X-Forwarded-For has them, or, without one, as Forwarded has them.
void collect_hops(exchange& x) {
  for (auto const& f : x.head.fields)
    if (iequals(f.name, "x-forwarded-for"))
      http::for_each_token(f.value, [&](std::string_view hop) { x.hops.push_back(hop); });
  if (!x.hops.empty()) return;
  for (auto const& f : x.head.fields)
    if (f.id == field_id::forwarded && !http::append_forwarded_for(f.value, x.hops)) x.hops.clear();
}

// The last hop that no trusted proxy has: whoever stands in front of it could have written anything. What is no address
// ends the search too, at the last one that is.
std::string_view last_untrusted(exchange const& x) {
  std::string_view found = x.client->from.text;
  for (auto hop = x.hops.rbegin(); hop != x.hops.rend(); ++hop) {
    auto const node = http::node_address(*hop);
    boost::system::error_code ec;
    auto const address = boost::asio::ip::make_address(std::string(node), ec);
    if (ec) break;
    found = node;
    auto const v6 = address.is_v6() ? address.to_v6()
                                    : boost::asio::ip::make_address_v6(boost::asio::ip::v4_mapped, address.to_v4());
    if (!x.view().is_trusted(v6.to_bytes())) break;
  }
  return found;
}

void read_trusted(exchange& x) {
  if (auto const* f = x.head.find("x-request-id"); f != nullptr && is_request_id(f->value)) x.request_id = f->value;
  if (auto const* f = x.head.find("traceparent"); f != nullptr && obs::parse_traceparent(f->value))
    x.traceparent = f->value;
  collect_hops(x);
  x.client_address = last_untrusted(x);
}

void start_trace(exchange& x) noexcept {
  obs::trace_context context;
  context.trace = x.id;
  context.parent = obs::new_span_id(x.worker.random);
  x.traceparent_storage = obs::format_traceparent(context);
  x.traceparent = obs::view(x.traceparent_storage);
}

}  // namespace

result<void> sanitize(exchange& x) {
  auto const& fields = x.head.fields;
  auto const trusted = x.client->from.trusted;
  std::uint64_t forged = 0;

  x.kept.assign(fields.size(), false);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    auto const& f = fields[i];
    switch (judge(f, x.view().reserved)) {
      case verdict::keep: x.kept[i] = true; break;
      case verdict::drop: break;
      case verdict::forged:
        if (marks_passive(f))
          x.passive = true;
        else
          ++forged;
        break;
      case verdict::forwarding: x.kept[i] = trusted; break;
    }
    if (f.id == field_id::cookie && x.kept[i]) {
      if (!find_cookies(x, f.value)) continue;
      x.cookie_fields.push_back(f.value);
      x.kept[i] = false;
    }
  }
  take_ids_out(x);
  drop_unfit_ids(x.cookies, x.view().config.session);
  if (x.head.connection_names_fields) drop_named_by_connection(x);
  if (forged > 0) x.worker.metrics.reserved_headers_stripped(forged);

  if (trusted) read_trusted(x);
  if (x.traceparent.empty()) start_trace(x);
  return {};
}

}  // namespace doorward::pipeline
