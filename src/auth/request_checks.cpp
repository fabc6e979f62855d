#include "doorward/auth/request_checks.hpp"

#include "doorward/base/encoding.hpp"

namespace doorward::auth {
namespace {

bool mentions_html(std::string_view accept) noexcept {
  bool html = false;
  http::for_each_token(accept, [&](std::string_view media_range) {
    auto const type = media_range.substr(0, media_range.find_first_of("; \t"));
    html = html || iequals(type, "text/html");
  });
  return html;
}

/// "https://host:port" of a URL that starts with it.
std::string_view origin_part(std::string_view url) noexcept {
  auto const scheme = url.find("://");
  if (scheme == url.npos) return {};
  return url.substr(0, url.find_first_of("/?#", scheme + 3));
}

initiator compare(std::string_view origin, http::request_head const& head, std::string_view public_origin) noexcept {
  if (!public_origin.empty()) return iequals(origin, public_origin) ? initiator::same_origin : initiator::cross_site;
  // Behind a TLS terminator the scheme is not known here; the authority is what tells sites apart.
  auto const scheme = origin.find("://");
  if (scheme == origin.npos) return initiator::cross_site;  // "null" among others
  return iequals(origin.substr(scheme + 3), head.host) ? initiator::same_origin : initiator::cross_site;
}

}  // namespace

bool is_navigation(http::request_head const& head) noexcept {
  return (head.verb == http::method::get || head.verb == http::method::head) && asks_for_page(head);
}

bool asks_for_page(http::request_head const& head) noexcept {
  if (auto const* f = head.find("X-Requested-With"); f != nullptr && iequals(f->value, "XMLHttpRequest")) return false;
  if (auto const* f = head.find("Sec-Fetch-Mode")) return iequals(f->value, "navigate");
  auto const* accept = head.find(http::field_id::accept);
  return accept != nullptr && mentions_html(accept->value);
}

initiator initiator_of(http::request_head const& head, std::string_view public_origin) noexcept {
  if (auto const* f = head.find("Sec-Fetch-Site")) {
    auto const ours = iequals(f->value, "same-origin") || iequals(f->value, "none");
    return ours ? initiator::same_origin : initiator::cross_site;
  }
  auto const* origin = head.find(http::field_id::origin);
  return origin == nullptr ? initiator::unknown : compare(origin->value, head, public_origin);
}

initiator initiator_of_navigation(http::request_head const& head, std::string_view public_origin) noexcept {
  auto const by_fetch = initiator_of(head, public_origin);
  if (by_fetch != initiator::unknown) return by_fetch;
  auto const* referer = head.find(http::field_id::referer);
  return referer == nullptr ? initiator::unknown : compare(origin_part(referer->value), head, public_origin);
}

}  // namespace doorward::auth
