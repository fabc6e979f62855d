#include "pipeline/sessions_page.hpp"

#include "catch.hpp"

using namespace doorward;
using namespace doorward::pipeline;

namespace {

constexpr epoch_ms noon = 1'714'564'800'000;  // 2024-05-01 12:00 UTC

session::listed_session one(std::string const& id, std::string const& device = "Firefox on Linux") {
  session::listed_session s;
  s.key = "session:" + id;
  s.handle = "handle-of-" + id;
  s.device = device;
  s.address = "192.0.2.1";
  s.created = noon - 7'200'000;
  s.last_seen = noon - 90'000;
  return s;
}

bool has(std::string const& page, std::string_view text) {
  return page.find(text) != page.npos;
}

}  // namespace

TEST_CASE("each session has its button, and one's own is told") {
  std::vector const all{one("a"), one("b")};
  auto const page = sessions_page(all, "session:b", noon);
  CAPTURE(page);
  CHECK(has(page, "<form method=\"post\" action=\"/.doorward/sessions/handle-of-a\">"));
  CHECK(has(page, "<form method=\"post\" action=\"/.doorward/sessions/handle-of-b\">"));
  CHECK(page.find("(this one)") > page.find("handle-of-a"));
  CHECK(has(page, "Log out all others"));
  CHECK_FALSE(has(page, "session:"));
}

TEST_CASE("alone, there are no others to end") {
  std::vector const all{one("a")};
  auto const page = sessions_page(all, "session:a", noon);
  CHECK_FALSE(has(page, "Log out all others"));
  CHECK(has(page, "Log out everywhere"));
}

TEST_CASE("times, as far as they are known") {
  std::vector all{one("a")};
  CHECK(has(sessions_page(all, "", noon), "Logged in <time datetime=\"2024-05-01T10:00:00Z\""));
  CHECK(has(sessions_page(all, "", noon), ">2 hours ago</time>"));
  CHECK(has(sessions_page(all, "", noon), ">1 minute ago</time>"));
  all[0].last_seen = noon + 5000;  // a clock that is ahead
  CHECK(has(sessions_page(all, "", noon), ">just now</time>"));
  all[0].created = 99'999'999'999'999'999;
  all[0].last_seen.reset();
  CHECK_FALSE(has(sessions_page(all, "", noon), "<time"));
}

TEST_CASE("what a client said of itself cannot become part of the page") {
  std::vector const all{one("a", "<b>\"&")};
  auto const page = sessions_page(all, "", noon);
  CHECK_FALSE(has(page, "<b>"));
  CHECK(has(page, "&lt;b&gt;&quot;&amp;"));
}

TEST_CASE("a session that says nothing of itself") {
  session::listed_session s;
  s.handle = "h";
  std::vector const all{s};
  CHECK(has(sessions_page(all, "", noon), "Unknown device"));
}
