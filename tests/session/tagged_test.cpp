#include "store_fixture.hpp"

// The same plane with keys that say their slot. That these are one slot is seen where there are slots: integration.

using namespace doorward;
using namespace doorward::test;
using namespace std::chrono_literals;
using session::outcome;

namespace {

fields const alice{{"userId", "alice"}};
fields const bob{{"userId", "bob"}};

struct tagged_store : store_fixture {
  std::string const tag = names().tag_of_user("alice");
  std::string const index = "user:{" + tag + "}:alice:sessions";

  tagged_store() {
    config.layout = config::key_layout::tagged;
    make_stores();
  }
  session::key_names names() const {
    auto c = config;
    c.layout = config::key_layout::tagged;
    return session::key_names(c);
  }
  std::string made(fields const& grant) {
    auto const id = names().new_id(grant[0].second);
    CHECK_FALSE(create(id, grant));
    return id;
  }
  /// A login that comes with these sessions.
  error_code replace(std::string const& id, fields const& grant, std::vector<std::string_view> const& ids) {
    session::new_session s;
    s.id = id;
    s.replaces = ids;
    return create(s, grant);
  }
};

}  // namespace

TEST_CASE_METHOD(tagged_store, "layout tagged, one user's sessions: made, found, touched, listed, ended") {
  auto const a = made(alice), b = made(alice), x = made(bob);
  auto const key = "session:{" + tag + "}" + a.substr(4);
  CHECK(members(index) == std::set<std::string>{key, "session:{" + tag + "}" + b.substr(4)});
  CHECK(find(a) == outcome::found);
  ask({"HSET", key, "lastSeen", "0"});
  touch(a);
  CHECK(hash(key)["lastSeen"] != "0");
  REQUIRE(list("alice").size() == 2);
  CHECK(revoke("alice", key) == 1);
  CHECK(find(a) == outcome::revoked);
  CHECK(members(index).size() == 1);
  CHECK(end(b) == 1);
  CHECK_FALSE(exists(index));
  CHECK(find(x) == outcome::found);
}

TEST_CASE_METHOD(tagged_store, "layout tagged, the others, all, and a user's") {
  auto const a = made(alice), b = made(alice), c = made(alice);
  CHECK(end_others(a) == 2);
  CHECK(find(b) == outcome::revoked);
  CHECK(members(index).size() == 1);
  CHECK(exists("session:ended:{" + tag + "}:alice"));
  session::new_session s;
  auto const late = names().new_id("alice");
  s.id = late;
  s.began_ago = 1s;
  CHECK(create(s, alice) == errc::session_revoked);
  s.began_ago = -1s;
  CHECK_FALSE(create(s, alice));
  CHECK(end_all(a) == 2);
  ask({"FLUSHALL"});
  made(alice), made(alice);
  CHECK(end_user("alice") == 2);
}

TEST_CASE_METHOD(tagged_store, "layout tagged, a login replaces sessions of any slot") {
  auto const own = made(alice), other = made(bob), fresh = names().new_id("alice");
  CHECK_FALSE(replace(fresh, alice, {own, other, "no-tag-but-could-be-an-id"}));
  CHECK(replaced == 2);
  CHECK(find(own) == outcome::absent);
  CHECK(find(other) == outcome::absent);
  CHECK(list("bob").empty());
  CHECK(list("alice").size() == 1);
}

TEST_CASE_METHOD(tagged_store, "layout tagged, a login that is refused ends nobody's session") {
  config.limit = {1, 0, config::limit_action::deny};
  make_stores();
  made(alice);
  auto const other = made(bob);
  CHECK(replace(names().new_id("alice"), alice, {other}) == errc::session_limit);
  CHECK(find(other) == outcome::found);
}

TEST_CASE_METHOD(tagged_store, "layout tagged, an id of another user's slot, and one without a slot") {
  CHECK(create(names().new_id("bob"), alice) == errc::internal);
  CHECK(create("no-tag-but-could-be-an-id", alice) == errc::internal);
  ask({"HSET", "session:no-tag-but-could-be-an-id", "userId", "alice"});
  CHECK(find("no-tag-but-could-be-an-id") == outcome::absent);
}
