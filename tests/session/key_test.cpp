#include "doorward/session/key.hpp"

#include "store_fixture.hpp"

using namespace doorward;
using namespace doorward::test;
using session::outcome;

namespace {

// `printf %s ID | sha256sum`
constexpr char id[] = "an-id-for-the-documentation";
constexpr char its_hash[] = "80f4435dd91cc8278d821675d81645a64d3c49dfc1fac15e36fdf4bf948f8221";

fields const alice{{"userId", "42"}};

/// A store whose keys hold hashes.
struct hashed : store_fixture {
  hashed() {
    config.store_hashed = true;
    make_stores();
  }
  [[nodiscard]] std::string key(std::string_view of) const { return session::key_of(config, of); }
  [[nodiscard]] std::set<std::string> keys(std::vector<std::string> const& ids) const {
    std::set<std::string> all;
    for (auto const& one : ids)
      all.insert(key(one));
    return all;
  }
};

}  // namespace

TEST_CASE("the key of an id") {
  config::session_config c;
  c.key = {"a:", ":z"};
  CHECK(session::key_of(c, id) == std::string("a:") + id + ":z");
  c.store_hashed = true;
  CHECK(session::key_of(c, id) == std::string("a:") + its_hash + ":z");
  std::string again = "what was there before";
  session::assign_key(again, c, id);
  CHECK(again == session::key_of(c, id));
}

TEST_CASE_METHOD(hashed, "keys of hashes: no id is in Redis, and every operation finds its session") {
  session::new_session s;
  s.id = "a";
  s.address = "192.0.2.1";
  CHECK_FALSE(create(s, alice));
  CHECK_FALSE(exists("session:a"));
  CHECK(exists(key("a")));
  CHECK(members("user:42:sessions") == keys({"a"}));
  CHECK(find("a") == outcome::found);
  CHECK(find(key("a").substr(8)) == outcome::absent);  // what can be read in Redis opens nothing

  ask({"HSET", key("a"), "lastSeen", "0"});
  touch("a");
  CHECK(hash(key("a"))["lastSeen"] != "0");

  CHECK_FALSE(create("b", alice));
  auto const all = list("42");
  REQUIRE(all.size() == 2);
  CHECK(std::set<std::string>{all[0].key, all[1].key} == keys({"a", "b"}));
  CHECK(all[0].handle == session::handle_of(all[0].key));

  CHECK(revoke("42", key("b")) == 1);
  CHECK(find("b") == outcome::revoked);
  CHECK(end("a") == 1);
  CHECK(find("a") == outcome::absent);
  CHECK(members("user:42:sessions").empty());
}

TEST_CASE_METHOD(hashed, "keys of hashes: the ends of several, limits, and what a login replaces") {
  for (auto const* one : {"a", "b", "c"})
    CHECK_FALSE(create(one, alice));
  CHECK(end_others("b") == 2);
  CHECK(find("a") == outcome::revoked);
  CHECK(find("b") == outcome::found);

  session::new_session s;
  s.id = "d";
  std::string_view const old = "b";
  s.replaces = {&old, 1};
  s.began_ago = milliseconds{-1000};
  CHECK_FALSE(create(s, alice));
  CHECK(replaced == 1);
  CHECK(find("b") == outcome::absent);
  CHECK(members("user:42:sessions") == keys({"d"}));

  config.limit.per_user = 1;
  make_stores();
  s.id = "e";
  s.replaces = {};
  CHECK_FALSE(create(s, alice));
  CHECK(displaced == 1);
  CHECK(find("d") == outcome::displaced);
  CHECK(end_all("e") == 1);
  CHECK(find("e") == outcome::absent);
}

TEST_CASE_METHOD(hashed, "keys of hashes: what another program wrote under a bare id is not found") {
  ask({"HSET", "session:bare", "userId", "42"});
  CHECK(find("bare") == outcome::absent);
}
