#include "doorward/auth/request_checks.hpp"

#include <string>

#include "catch.hpp"

namespace http = doorward::http;
using namespace doorward::auth;

namespace {

// The head keeps views into the text, so both live together.
struct request {
  std::string text;
  http::request_head head;
  explicit request(std::string const& fields, std::string const& method = "GET")
      : text(method + " / HTTP/1.1\r\nHost: app.example.com\r\n" + fields + "\r\n") {
    REQUIRE(http::parse_request_head(text, {}, head));
  }
};

}  // namespace

TEST_CASE("what is a navigation") {
  struct {
    std::string fields;
    bool navigation;
  } const rows[]{
      {"", false},
      {"Accept: */*\r\n", false},
      {"Accept: text/html\r\n", true},
      {"Accept: application/xhtml+xml, TEXT/HTML;q=0.9\r\n", true},
      {"Accept: text/htmlx\r\n", false},
      {"Accept: application/json\r\nSec-Fetch-Mode: navigate\r\n", true},
      {"Accept: text/html\r\nSec-Fetch-Mode: cors\r\n", false},
      {"Accept: text/html\r\nX-Requested-With: XMLHttpRequest\r\n", false},
      {"Sec-Fetch-Mode: navigate\r\nX-Requested-With: xmlhttprequest\r\n", false},
  };
  for (auto const& r : rows) {
    INFO(r.fields);
    CHECK(is_navigation(request(r.fields).head) == r.navigation);
    CHECK_FALSE(is_navigation(request(r.fields, "DELETE").head));
    CHECK(asks_for_page(request(r.fields, "POST").head) == r.navigation);
  }
}

TEST_CASE("who asked") {
  struct {
    std::string fields;
    std::string public_origin;
    initiator who;
  } const rows[]{
      {"", "", initiator::unknown},
      {"Sec-Fetch-Site: same-origin\r\n", "", initiator::same_origin},
      {"Sec-Fetch-Site: none\r\n", "", initiator::same_origin},
      {"Sec-Fetch-Site: same-site\r\n", "", initiator::cross_site},
      {"Sec-Fetch-Site: cross-site\r\n", "", initiator::cross_site},
      {"Sec-Fetch-Site: cross-site\r\nOrigin: http://app.example.com\r\n", "", initiator::cross_site},
      {"Origin: http://app.example.com\r\n", "", initiator::same_origin},
      {"Origin: https://APP.example.com\r\n", "", initiator::same_origin},
      {"Origin: https://app.example.com:8443\r\n", "", initiator::cross_site},
      {"Origin: https://evil.example\r\n", "", initiator::cross_site},
      {"Origin: null\r\n", "", initiator::cross_site},
      {"Origin: https://app.example.com.evil.example\r\n", "", initiator::cross_site},
      {"Origin: https://public.example\r\n", "https://public.example", initiator::same_origin},
      {"Origin: http://public.example\r\n", "https://public.example", initiator::cross_site},
      {"Origin: https://app.example.com\r\n", "https://public.example", initiator::cross_site},
  };
  for (auto const& r : rows) {
    INFO(r.fields << r.public_origin);
    CHECK(initiator_of(request(r.fields).head, r.public_origin) == r.who);
  }
}

TEST_CASE("a Referer speaks for a navigation where nothing better does") {
  CHECK(initiator_of_navigation(request("Referer: http://app.example.com/page?x\r\n").head, "") ==
        initiator::same_origin);
  CHECK(initiator_of_navigation(request("Referer: http://evil.example/app.example.com\r\n").head, "") ==
        initiator::cross_site);
  CHECK(initiator_of_navigation(request("").head, "") == initiator::unknown);
  CHECK(initiator_of_navigation(request("Sec-Fetch-Site: cross-site\r\nReferer: http://app.example.com/\r\n").head,
                                "") == initiator::cross_site);
}
