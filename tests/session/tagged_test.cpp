#include "doorward/session/key.hpp"
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
  std::string tag;
  std::string index;

  tagged_store() {
    config.layout = config::key_layout::tagged;
    tag = session::tag_of_user(config, "alice");
    index = "user:{" + tag + "}:alice:sessions";
    make_stores();
  }
  std::string id_for(std::string const& user) const { return session::new_id(config, user); }
  std::string made(fields const& grant) {
    auto const id = id_for(grant[0].second);
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
  auto const late = id_for("alice");
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
  auto const own = made(alice), of_bob = made(bob), fresh = id_for("alice");
  CHECK_FALSE(replace(fresh, alice, {own, of_bob, "no-tag-but-could-be-an-id"}));
  CHECK(replaced == 2);
  CHECK(find(own) == outcome::absent);
  CHECK(find(of_bob) == outcome::absent);
  CHECK(list("bob").empty());
  CHECK(list("alice").size() == 1);
}

TEST_CASE_METHOD(tagged_store, "layout tagged, a login that is refused ends nobody's session") {
  config.limit = {1, 0, config::limit_action::deny};
  make_stores();
  made(alice);
  auto const of_bob = made(bob);
  CHECK(replace(id_for("alice"), alice, {of_bob}) == errc::session_limit);
  CHECK(find(of_bob) == outcome::found);
}

TEST_CASE_METHOD(tagged_store, "layout tagged, an id of another user's slot, and one without a slot") {
  CHECK(create(id_for("bob"), alice) == errc::internal);
  CHECK(create("no-tag-but-could-be-an-id", alice) == errc::internal);
  ask({"HSET", "session:no-tag-but-could-be-an-id", "userId", "alice"});
  CHECK(find("no-tag-but-could-be-an-id") == outcome::absent);
}

TEST_CASE_METHOD(tagged_store, "layout tagged, with ids that Redis does not get to know") {
  config.store_hashed = true;
  make_stores();
  auto const a = made(alice), b = made(alice);
  CHECK(members(index) == std::set<std::string>{session::key_of(config, a), session::key_of(config, b)});
  CHECK(session::key_of(config, a).find(a.substr(5)) == std::string::npos);
  CHECK(end_others(a) == 1);
  CHECK(find(b) == outcome::revoked);
  CHECK(find(a) == outcome::found);
}
