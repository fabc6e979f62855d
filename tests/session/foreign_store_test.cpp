#include "doorward/session/details.hpp"
#include "store_fixture.hpp"

// Sessions of other programs in a real Redis: read, deleted, and otherwise left alone.

using namespace doorward;
using namespace doorward::test;
using config::session_encoding;
using session::outcome;

namespace {

struct foreign : store_fixture {
  void encoding(session_encoding e) {
    config.encoding = e;
    make_stores();
  }
  /// What a look-up that failed looked like.
  session::likeness looks_like(std::string const& id) {
    std::optional<session::likeness> l;
    session::record r{layout};
    auto const run = [&]() -> net::task<> {
      auto lookup = store->find(id, r);
      (void)co_await lookup;
      l = lookup.looks_like();
    };
    net::spawn(run());
    REQUIRE(run_until(context, [&] { return l.has_value(); }));
    return *l;
  }
  template <class Task>
  error_code error_of(Task make) {
    std::optional<error_code> ec;
    auto const run = [&]() -> net::task<> {
      auto const r = co_await make();
      ec = r.error();
    };
    net::spawn(run());
    REQUIRE(run_until(context, [&] { return ec.has_value(); }));
    return *ec;
  }
  session::details at(std::string const& key, std::vector<std::string> const& custom) {
    std::optional<result<session::details>> r;
    auto const run = [&]() -> net::task<> { r = co_await session::read_details(*client, config, key, custom); };
    net::spawn(run());
    REQUIRE(run_until(context, [&] { return r.has_value(); }));
    return r->value();
  }
};

}  // namespace

TEST_CASE_METHOD(foreign, "a session of another program is read") {
  session::record r{layout};
  encoding(session_encoding::json);
  ask({"SET", "session:a", R"({"userId":42,"role":["x","y"]})"});
  CHECK(find("a", r) == outcome::found);
  CHECK(r.user() == "42");
  CHECK(r.roles() == "x,y");
  CHECK(find("none", r) == outcome::absent);
  encoding(session_encoding::php);
  ask({"SET", "session:a", "userId|i:42;"});
  CHECK(find("a", r) == outcome::found);
  ask({"SET", "session:a", ""});
  CHECK(find("a", r) == outcome::ghost);
  encoding(session_encoding::spring);
  ask({"DEL", "session:a"});
  ask({"HSET", "session:a", "creationTime", "0", "lastAccessedTime", std::to_string(wall_now()), "maxInactiveInterval",
       "60", "sessionAttr:userId", "\"42\""});
  CHECK(find("a", r) == outcome::found);
  ask({"HSET", "session:a", "maxInactiveInterval", "0"});
  CHECK(find("a", r) == outcome::absent);
  CHECK(r.user().empty());
}

TEST_CASE_METHOD(foreign, "a key of another type, and what is no record") {
  ask({"HSET", "session:hash", "userId", "42"});
  ask({"SET", "session:text", "userId|i:42;"});
  encoding(session_encoding::json);
  CHECK(find("hash") == outcome::wrong_type);
  CHECK(looks_like("hash") == session::likeness::nothing);
  CHECK(find("text") == outcome::malformed);
  CHECK(looks_like("text") == session::likeness::php);
  encoding(session_encoding::spring);
  CHECK(find("text") == outcome::wrong_type);
  CHECK(looks_like("hash") == session::likeness::no_times);
  encoding(session_encoding::redisjson);  // this server has no such command: nobody can tell
  CHECK(find("text") == outcome::unavailable);
}

TEST_CASE_METHOD(foreign, "nothing is written, and a log-out deletes") {
  encoding(session_encoding::json);
  ask({"SET", "session:a", R"({"userId":"42"})", "PX", "60000"});
  store->touch("a");
  session::new_session s;
  s.id = "b";
  fields const grant{{"userId", "42"}};
  s.fields = grant;
  CHECK(error_of([&] { return store->create(s); }) == errc::no_route);
  CHECK(error_of([&] { return store->end_all("a"); }) == errc::no_route);
  CHECK(error_of([&] { return store->end_others("a"); }) == errc::no_route);
  CHECK(error_of([&] { return store->end_user("42"); }) == errc::no_route);
  CHECK(error_of([&] { return store->revoke("42", "session:a"); }) == errc::no_route);
  CHECK(error_of([&] { return store->list("42"); }) == errc::no_route);
  CHECK(ask({"KEYS", "*"}).items == std::vector<std::string>{"session:a"});
  CHECK(near(number({"PTTL", "session:a"}), 60000));
  CHECK(store->touches().done + store->touches().gone + store->touches().failed == 0);
  CHECK(end("a") == 1);
  CHECK(end("a") == 0);
  CHECK_FALSE(exists("session:a"));
}

TEST_CASE_METHOD(foreign, "everything about a session of another program, as far as it is wanted") {
  encoding(session_encoding::json);
  auto const created = std::to_string(wall_now());
  ask({"SET", "session:a", R"({"userId":"42","secret":"x","plan":{"name":"pro"},"createdAt":)" + created + "}", "PX",
       "60000"});
  auto const d = at("session:a", {"/plan/name", "userId"});
  CHECK(d.what == outcome::found);
  CHECK(d.user == "42");
  CHECK(d.fields == fields{{"userId", "42"}, {"createdAt", created}, {"/plan/name", "pro"}});
  CHECK(near(d.summary.left->count(), 60000));
  CHECK(d.absolute_until);
  CHECK(at("session:none", {}).what == outcome::absent);
}
