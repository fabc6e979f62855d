#include "doorward/http/status.hpp"

#include "catch.hpp"

using doorward::http::reason_phrase;

TEST_CASE("phrases of statuses") {
  CHECK(reason_phrase(404) == "Not Found");
  CHECK(reason_phrase(413) == "Content Too Large");
  CHECK(reason_phrase(431) == "Request Header Fields Too Large");
  CHECK(reason_phrase(499) == "Client Closed Request");
  CHECK(reason_phrase(299) == "Unknown");
  CHECK(reason_phrase(0) == "Unknown");
}
