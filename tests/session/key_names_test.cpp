#include "doorward/session/key_names.hpp"

#include "catch.hpp"
#include "doorward/http/cookies.hpp"

using namespace doorward;
using session::between;
using session::key_names;

namespace {

key_names names(config::key_layout layout) {
  config::session_config c;
  c.key = {"s:", ":x"};
  c.layout = layout;
  return key_names(c);
}

}  // namespace

TEST_CASE("layout plain, names as the configuration has them") {
  auto const n = names(config::key_layout::plain);
  CHECK(n.tag_of_user("alice").empty());
  CHECK(n.tag_of_id("2bd8.abc").empty());
  CHECK(n.fits("anything"));
  CHECK(n.session("2bd8.abc") == "s:2bd8.abc:x");
  CHECK(between(n.index(""), "alice") == "user:alice:sessions");
  CHECK(between(n.ended(""), "alice") == "s:ended:alice:x");
  CHECK(n.new_id("alice").size() == 43);
}

TEST_CASE("layout tagged, the keys of a user have one tag, and the id says which") {
  auto const n = names(config::key_layout::tagged);
  CHECK(n.tag_of_user("alice") == "2bd8");  // printf alice | sha256sum | cut -c1-4
  CHECK(n.tag_of_user("bob") == "81b6");
  auto const id = n.new_id("alice");
  CHECK(id.size() == 48);
  CHECK(http::is_session_id(id));
  CHECK(n.fits(id));
  CHECK(n.tag_of_id(id) == "2bd8");
  CHECK(n.session(id) == "s:{2bd8}" + id.substr(4) + ":x");
  CHECK(between(n.index("2bd8"), "al{i}ce") == "user:{2bd8}:al{i}ce:sessions");
  CHECK(between(n.ended("2bd8"), "alice") == "s:ended:{2bd8}:alice:x");
  CHECK(n.new_id("alice") != id);
}

TEST_CASE("layout tagged, what has no tag is no id") {
  auto const n = names(config::key_layout::tagged);
  for (auto const* id : {"", "abcd", "abcdefghijklmnopqrstuvwxyz", "ABCD.efghijklmnopqrst", "abcg.efghijklmnopqrst",
                         "abc.defghijklmnopqrst", "abcde.fghijklmnopqrst"}) {
    CAPTURE(id);
    CHECK_FALSE(n.fits(id));
    CHECK(n.tag_of_id(id).empty());
  }
  CHECK(n.fits("0f3a.efghijklmnopqrst"));
}
