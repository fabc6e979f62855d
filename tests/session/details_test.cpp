#include "doorward/session/details.hpp"

#include "doorward/session/key.hpp"
#include "store_fixture.hpp"

using namespace doorward;
using namespace doorward::test;
using session::outcome;

namespace {

struct looked_at : store_fixture {
  session::details at(std::string const& key) {
    std::optional<result<session::details>> r;
    auto const run = [&]() -> net::task<> { r = co_await session::read_details(*client, config, key); };
    net::spawn(run());
    REQUIRE(run_until(context, [&] { return r.has_value(); }));
    return r->value();
  }
};

}  // namespace

TEST_CASE_METHOD(looked_at, "everything about a session") {
  session::new_session s;
  s.id = "a";
  s.address = "192.0.2.1";
  s.device = "Firefox on Linux";
  CHECK_FALSE(create(s, {{"userId", "42"}, {"plan", "pro"}}));
  CHECK(session::key_of(config, "a") == "session:a");
  auto const d = at("session:a");
  CHECK(d.what == outcome::found);
  CHECK(d.user == "42");
  CHECK(d.summary.handle == session::handle_of("session:a"));
  CHECK(d.summary.address == "192.0.2.1");
  CHECK(d.summary.device == "Firefox on Linux");
  CHECK(near(*d.summary.created, wall_now() + 1));
  CHECK(near(d.summary.left->count(), 30LL * 60 * 1000));
  CHECK(*d.absolute_until == *d.summary.created + 12LL * 3600 * 1000);
  CHECK(d.fields.size() == 6);
  CHECK(std::ranges::find(d.fields, std::pair<std::string, std::string>{"plan", "pro"}) != d.fields.end());
}

TEST_CASE_METHOD(looked_at, "what is no session, and what has been one") {
  ask({"HSET", "session:ghost", "lastSeen", "1"});
  ask({"SET", "session:text", "x"});
  ask({"HSET", "session:over", "userId", "42", "createdAt", "1700000000000"});
  CHECK_FALSE(create("a", {{"userId", "42"}}));
  CHECK(revoke("42", "session:a") == 1);
  CHECK(at("session:none").what == outcome::absent);
  CHECK(at("session:ghost").what == outcome::ghost);
  CHECK(at("session:ghost").fields.empty());
  CHECK(at("session:text").what == outcome::wrong_type);
  CHECK(at("session:a").what == outcome::revoked);
  auto const over = at("session:over");
  CHECK(over.what == outcome::expired);
  CHECK(over.user == "42");
  CHECK_FALSE(over.summary.left);
}
