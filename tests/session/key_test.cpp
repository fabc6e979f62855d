#include "doorward/session/key.hpp"

#include "catch.hpp"
#include "doorward/http/cookies.hpp"

using namespace doorward;
using namespace doorward::session;

namespace {

config::session_config laid_out(config::key_layout layout, bool hashed = false) {
  config::session_config c;
  c.key = {"s:", ":x"};
  c.layout = layout;
  c.store_hashed = hashed;
  return c;
}

}  // namespace

TEST_CASE("layout plain, names as the configuration has them") {
  auto const c = laid_out(config::key_layout::plain);
  CHECK(tag_of_user(c, "alice").empty());
  CHECK(tag_of_id(c, "2bd8.abc").empty());
  CHECK(fits_layout(c, "anything"));
  CHECK(key_of(c, "2bd8.abc") == "s:2bd8.abc:x");
  CHECK(between(index_affixes(c, ""), "alice") == "user:alice:sessions");
  CHECK(between(ended_affixes(c, ""), "alice") == "s:ended:alice:x");
  CHECK(new_id(c, "alice").size() == 43);
}

TEST_CASE("layout tagged, the keys of a user have one tag, and the id says which") {
  auto const c = laid_out(config::key_layout::tagged);
  CHECK(tag_of_user(c, "alice") == "2bd8");  // printf alice | sha256sum | cut -c1-4
  CHECK(tag_of_user(c, "bob") == "81b6");
  auto const id = new_id(c, "alice");
  CHECK(id.size() == 48);
  CHECK(http::is_session_id(id));
  CHECK(fits_layout(c, id));
  CHECK(tag_of_id(c, id) == "2bd8");
  CHECK(key_of(c, id) == "s:{2bd8}" + id.substr(4) + ":x");
  CHECK(between(index_affixes(c, "2bd8"), "al{i}ce") == "user:{2bd8}:al{i}ce:sessions");
  CHECK(between(ended_affixes(c, "2bd8"), "alice") == "s:ended:{2bd8}:alice:x");
  CHECK(new_id(c, "alice") != id);
}

TEST_CASE("layout tagged, what has no tag is no id") {
  auto const c = laid_out(config::key_layout::tagged);
  for (auto const* id : {"", "abcd", "abcdefghijklmnopqrstuvwxyz", "ABCD.efghijklmnopqrst", "abcg.efghijklmnopqrst",
                         "abc.defghijklmnopqrst", "abcde.fghijklmnopqrst"}) {
    CAPTURE(id);
    CHECK_FALSE(fits_layout(c, id));
    CHECK(tag_of_id(c, id).empty());
  }
  CHECK(fits_layout(c, "0f3a.efghijklmnopqrst"));
}

TEST_CASE("layout tagged with hashed ids: the tag stays to be read, the id does not") {
  auto const c = laid_out(config::key_layout::tagged, true);
  // printf 0f3a.efghijklmnopqrst | sha256sum
  CHECK(key_of(c, "0f3a.efghijklmnopqrst") ==
        "s:{0f3a}.ce9e6d261dd1e90fad4f655df1450e33bd89595816318913afd4aa80e90ea426:x");
  CHECK(key_of(laid_out(config::key_layout::plain, true), "0f3a.efghijklmnopqrst") ==
        "s:ce9e6d261dd1e90fad4f655df1450e33bd89595816318913afd4aa80e90ea426:x");
}
