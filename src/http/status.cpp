#include "doorward/http/status.hpp"

#include <boost/beast/http/status.hpp>

namespace doorward::http {

std::string_view reason_phrase(unsigned status) noexcept {
  namespace beast = boost::beast::http;
  if (status == 413) return "Content Too Large";  // RFC 9110; Beast has the older name
  auto const known = beast::int_to_status(status);
  if (known == beast::status::unknown) return "Unknown";
  auto const text = beast::obsolete_reason(known);
  return {text.data(), text.size()};
}

}  // namespace doorward::http
