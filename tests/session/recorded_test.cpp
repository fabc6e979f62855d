// What other programs really wrote, read by the reader that has to. tests/session/recorded/README.md says who wrote
// what.
#include "recorded.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "catch.hpp"
#include "doorward/session/field_layout.hpp"
#include "doorward/session/foreign_reader.hpp"

using namespace doorward;
using namespace doorward::session;
using config::session_encoding;
using test::recorded;

namespace {

/// What is wanted of sessions, and what was found.
struct reading {
  session_encoding encoding = session_encoding::json;
  std::string user = "userId";
  std::string roles = "role";
  std::vector<std::string> others = {};

  outcome what{};
  likeness looks{};
  std::map<std::string, std::string, std::less<>> fields = {};

  reading& of(redis::reply const& reply, epoch_ms now = 0) {
    config::session_fields names;
    names.user = user;
    names.roles = roles;
    field_layout const layout{names, others};
    record into{layout};
    foreign_reader reader{encoding};
    what = reader.read(reply, into, now);
    looks = reader.looks_like();
    fields.clear();
    for (field_layout::slot s = 0; s < layout.size(); ++s)
      if (into.has(s)) fields.emplace(layout.name(s), into.get(s));
    return *this;
  }
  reading& of(std::string const& name) { return of(recorded(name).reply()); }

  [[nodiscard]] std::optional<std::string> operator[](std::string_view name) const {
    auto const at = fields.find(name);
    return at == fields.end() ? std::nullopt : std::optional(at->second);
  }
};

redis::reply text_reply(std::string_view text) {
  redis::reply r;
  r.type = redis::reply::kind::string;
  r.text = text;
  return r;
}

/// A java.lang.Long's or Integer's number: the last bytes of its record.
long long java_number(std::string_view value, std::size_t size) {
  unsigned long long n = 0;
  for (auto const c : value.substr(value.size() - size))
    n = n << 8 | static_cast<unsigned char>(c);
  return static_cast<long long>(n);
}

std::string const member = "editor,member";

}  // namespace

// ---- JSON ----

TEST_CASE("express-session in connect-redis") {
  reading r{.user = "/user/id",
            .roles = "/user/roles",
            .others = {"/user/name", "/user/profile/languages/1", "/user/profile/newsletter", "/user/profile/since",
                       "views", "/cookie/path"}};
  REQUIRE(r.of("express.resp").what == outcome::found);
  CHECK(r["/user/id"] == "42");
  CHECK(r["/user/roles"] == "editor");
  CHECK(r["/user/name"] == "Jürgen Groß");
  CHECK(r["/user/profile/languages/1"] == "en");
  CHECK(r["/user/profile/newsletter"] == "false");
  CHECK(r["/user/profile/since"] == "2019");
  CHECK(r["views"] == "1");
  CHECK(r["/cookie/path"] == "/");
}

TEST_CASE("the user that Passport keeps, and the list of its roles") {
  reading r{.user = "/passport/user/id", .roles = "/passport/user/roles", .others = {"/passport/user/name"}};
  REQUIRE(r.of("passport.resp").what == outcome::found);
  CHECK(r["/passport/user/id"] == "42");
  CHECK(r["/passport/user/roles"] == member);
  CHECK(r["/passport/user/name"] == "Jürgen Groß");
}

TEST_CASE("Passport's user is no user of the session itself") {
  CHECK(reading{}.of("passport.resp").what == outcome::ghost);
}

TEST_CASE("Django's cache session in JSON") {
  reading r{.user = "_auth_user_id", .others = {"name", "active", "/basket/plums/1", "/basket/plums/2"}};
  REQUIRE(r.of("django_json.resp").what == outcome::found);
  CHECK(r["_auth_user_id"] == "42");
  CHECK(r["role"] == "editor");
  CHECK(r["name"] == "Jürgen Groß");
  CHECK(r["active"] == "true");
  CHECK(r["/basket/plums/1"] == "2.5");
  CHECK_FALSE(r["/basket/plums/2"]);
}

// ---- PHP ----

TEST_CASE("a session of PHP, whichever of its two text handlers wrote it") {
  for (auto const* name : {"php.resp", "php_serialize.resp"}) {
    INFO(name);
    reading r{.encoding = session_encoding::php,
              .user = "uid",
              .roles = "roles",
              .others = {"/account/name", "/account/id", "/account/limits/month/1/1/0", "level", "active", "locked",
                         "ratio", "note", "nothing", "/account/none"}};
    REQUIRE(r.of(name).what == outcome::found);
    CHECK(r["uid"] == "42");
    CHECK(r["roles"] == member);
    CHECK(r["/account/name"] == "Jürgen Groß ✓");
    CHECK(r["/account/id"] == "4711");
    CHECK(r["/account/limits/month/1/1/0"] == "3");
    CHECK(r["level"] == "3");
    CHECK(r["active"] == "true");
    CHECK(r["locked"] == "false");
    CHECK(r["ratio"] == "0.25");
    CHECK(r["note"] == "a;b|c\"{}:s:3:\"x\";");
    CHECK_FALSE(r["nothing"]);
    CHECK_FALSE(r["/account/none"]);
  }
}

TEST_CASE("an object in a session of PHP is passed over, and nothing in it is a field") {
  for (auto const* name : {"php.resp", "php_serialize.resp"}) {
    INFO(name);
    reading wanted{.encoding = session_encoding::php, .user = "uid", .others = {"basket"}};
    CHECK(wanted.of(name).what == outcome::malformed);
    CHECK(wanted.fields.empty());
    reading same{.encoding = session_encoding::php, .user = "uid", .others = {"again"}};
    CHECK(same.of(name).what == outcome::malformed);
    reading inside{.encoding = session_encoding::php, .user = "uid", .others = {"/basket/items/pears"}};
    CHECK_FALSE(inside.of(name)["/basket/items/pears"]);
  }
}

TEST_CASE("PHP's other handlers are not read") {
  for (auto const* name : {"php_binary.resp", "igbinary.resp"}) {
    INFO(name);
    reading r{.encoding = session_encoding::php, .user = "uid"};
    CHECK(r.of(name).what == outcome::malformed);
    CHECK(r.fields.empty());
  }
  CHECK(reading{.encoding = session_encoding::php}.of("igbinary.resp").looks == likeness::igbinary);
}

// ---- Spring ----

namespace {

reading spring(std::vector<std::string> others = {}) {
  return {.encoding = session_encoding::spring, .roles = "roles", .others = std::move(others)};
}

}  // namespace

TEST_CASE("a session of Spring, with the values of the JDK") {
  recorded hash("spring.resp");
  auto const then = java_number(hash["lastAccessedTime"], 8);
  auto r = spring({"name", "account", "level", "active", "lastAccessedTime", "maxInactiveInterval"});
  REQUIRE(r.of(hash.reply(), then).what == outcome::found);
  CHECK(r["userId"] == "42");
  CHECK(r["roles"] == "editor");
  CHECK(r["name"] == "Jürgen Groß \U0001F600");  // two surrogates in Java's own UTF-8
  CHECK(r["account"] == "9007199254740993");
  CHECK(r["level"] == "-3");
  CHECK(r["active"] == "true");
  CHECK(r["lastAccessedTime"] == std::to_string(then));
  CHECK(r["maxInactiveInterval"] == "1800");
}

TEST_CASE("the same with the values of Jackson") {
  recorded const hash("spring_json.resp");
  auto r = spring({"name", "account", "level", "active", "ratio", "odd"});
  REQUIRE(r.of(hash.reply()).what == outcome::found);
  CHECK(r["userId"] == "42");
  CHECK(r["roles"] == "editor");
  CHECK(r["name"] == "Jürgen Groß \U0001F600");
  CHECK(r["account"] == "9007199254740993");
  CHECK(r["level"] == "-3");
  CHECK(r["active"] == "true");
  CHECK(r["ratio"] == "0.25");
  CHECK(r["odd"] == std::string("a\0b", 3));  // no header will hold it
  for (auto const* name : {"basket", "recent", "SPRING_SECURITY_CONTEXT"}) {
    INFO(name);
    CHECK(spring({name}).of(hash.reply()).what == outcome::malformed);
  }
}

TEST_CASE("an attribute that Spring removed has nothing in it, and is not there") {
  recorded hash("spring.resp");
  REQUIRE(hash["sessionAttr:removed"].empty());
  auto r = spring({"removed"});
  REQUIRE(r.of(hash.reply(), java_number(hash["lastAccessedTime"], 8)).what == outcome::found);
  CHECK_FALSE(r["removed"]);
  hash["sessionAttr:roles"] = {};
  REQUIRE(r.of(hash.reply(), java_number(hash["lastAccessedTime"], 8)).what == outcome::found);
  CHECK_FALSE(r["roles"]);
  hash["sessionAttr:userId"] = {};
  CHECK(r.of(hash.reply(), java_number(hash["lastAccessedTime"], 8)).what == outcome::ghost);
}

TEST_CASE("objects of a session of Spring are in nobody's way, unless they are wanted") {
  recorded hash("spring.resp");
  auto const then = java_number(hash["lastAccessedTime"], 8);
  for (auto const* name : {"basket", "recent", "plan", "ratio", "SPRING_SECURITY_CONTEXT"}) {
    INFO(name);
    auto r = spring({name});
    CHECK(r.of(hash.reply(), then).what == outcome::malformed);
    CHECK(r.looks == likeness::java);
    CHECK(r.fields.empty());
  }
}

TEST_CASE("the time of a session of Spring is what its hash says") {
  recorded hash("spring.resp");
  auto const then = java_number(hash["lastAccessedTime"], 8);
  REQUIRE(java_number(hash["maxInactiveInterval"], 4) == 1800);
  CHECK(spring().of(hash.reply(), then + 1'799'999).what == outcome::found);
  CHECK(spring().of(hash.reply(), then + 1'800'000).what == outcome::absent);
  CHECK(spring().of(hash.reply(), then + 2'100'000).what == outcome::absent);
}

TEST_CASE("a session that Spring has ended leaves its hash for five minutes") {
  recorded hash("spring_ended.resp");
  auto const then = java_number(hash["lastAccessedTime"], 8);
  CHECK(spring().of(hash.reply(), then).what == outcome::absent);
  CHECK(spring().of(hash.reply(), then - 60'000).what == outcome::absent);  // its clock is ahead of ours
}

TEST_CASE("a hash of Spring's without its times is no session") {
  for (auto const* time : {"lastAccessedTime", "maxInactiveInterval"}) {
    INFO(time);
    recorded hash("spring.resp");
    auto const then = java_number(hash["lastAccessedTime"], 8);
    hash[time] = {};
    CHECK(spring().of(hash.reply(), then).what == outcome::malformed);
  }
}

// ---- what is never read, and what is cut off ----

TEST_CASE("a pickle is never read, whatever is expected") {
  for (auto const encoding : {session_encoding::json, session_encoding::php, session_encoding::redisjson}) {
    reading r{.encoding = encoding, .user = "_auth_user_id"};
    CHECK(r.of("django_pickle.resp").what == outcome::malformed);
    CHECK(r.looks == likeness::pickle);
    CHECK(r.fields.empty());
  }
}

TEST_CASE("no record is read as another kind") {
  struct row {
    char const* name;
    session_encoding encoding;
    likeness looks;
  };
  row const rows[] = {
      {"express.resp", session_encoding::php, likeness::json},
      {"django_json.resp", session_encoding::php, likeness::json},
      {"php.resp", session_encoding::json, likeness::php},
      {"php_serialize.resp", session_encoding::json, likeness::php},
      {"igbinary.resp", session_encoding::json, likeness::igbinary},
  };
  for (auto const& row : rows) {
    INFO(row.name);
    reading r{.encoding = row.encoding};
    CHECK(r.of(row.name).what == outcome::malformed);
    CHECK(r.looks == row.looks);
  }
  CHECK(spring().of("express.resp").what == outcome::malformed);
  CHECK(reading{}.of("spring.resp").what == outcome::malformed);
}

TEST_CASE("a record that is cut off anywhere is not read, nor one with something behind it") {
  struct row {
    char const* name;
    session_encoding encoding;
    char const* user;
  };
  row const rows[] = {{"express.resp", session_encoding::json, "/user/id"},
                      {"django_json.resp", session_encoding::json, "_auth_user_id"},
                      {"php_serialize.resp", session_encoding::php, "uid"}};
  for (auto const& row : rows) {
    INFO(row.name);
    recorded const whole(row.name);
    reading r{.encoding = row.encoding, .user = row.user};
    REQUIRE(r.of(whole.reply()).what == outcome::found);
    // A text of nothing is an empty session of PHP's `php`.
    for (std::size_t n = 1; n < whole.text().size(); ++n) {
      CHECK(r.of(text_reply(whole.text().substr(0, n))).what == outcome::malformed);
      CHECK(r.fields.empty());
    }
    CHECK(r.of(text_reply(std::string(whole.text()) + "x")).what == outcome::malformed);
  }
}

TEST_CASE("what PHP's `php` handler wrote can only be cut between two names") {
  recorded const whole("php.resp");
  reading r{.encoding = session_encoding::php, .user = "uid"};
  REQUIRE(r.of(whole.reply()).what == outcome::found);
  std::size_t read = 0;
  for (std::size_t n = 1; n < whole.text().size(); ++n)
    if (r.of(text_reply(whole.text().substr(0, n))).what != outcome::malformed) ++read;
  // basket, again, uid, roles, account, level, active, locked, ratio, nothing, note; views is the last.
  CHECK(read == 11);
}

TEST_CASE("an attribute of Spring's that is cut off anywhere is not read") {
  for (auto const* name : {"userId", "account", "level", "active"}) {
    INFO(name);
    recorded hash("spring.resp");
    auto const then = java_number(hash["lastAccessedTime"], 8);
    auto const field = std::string("sessionAttr:") + name;
    auto const value = hash[field];
    auto r = spring({name});
    for (std::size_t n = 1; n < value.size(); ++n) {
      hash[field] = value.substr(0, n);
      CHECK(r.of(hash.reply(), then).what == outcome::malformed);
    }
    auto const longer = std::string(value) + "x";
    hash[field] = longer;
    CHECK(r.of(hash.reply(), then).what == outcome::malformed);
  }
}
