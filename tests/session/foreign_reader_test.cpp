#include "doorward/session/foreign_reader.hpp"

#include <map>
#include <string>
#include <vector>

#include "catch.hpp"

// Sessions that other programs wrote: what is read, and that everything else is not.

using namespace doorward;
using namespace doorward::session;
using namespace std::string_literals;
using config::session_encoding;
using redis::reply;
using kind = reply::kind;

namespace {

using fields = std::map<std::string, std::string>;

reply text(std::string_view t) {
  reply r;
  r.type = kind::string;
  r.text = t;
  return r;
}

struct read_result {
  outcome what;
  fields found;
  likeness looks;
};

/// Reads a record whose user is at `user` and whose roles are at `role`.
struct reading {
  explicit reading(session_encoding e, std::string user = "userId", std::vector<std::string> custom = {})
      : names(named(std::move(user))), layout(names, custom), reader(e), into(layout) {}

  static config::session_fields named(std::string user) {
    config::session_fields f;
    f.user = std::move(user);
    return f;
  }

  read_result operator()(reply const& r) {
    auto const what = reader.read(r, into, 1'700'000'000'000);
    fields found;
    for (std::size_t s = 0; s < layout.size(); ++s)
      if (into.has(s)) found.emplace(layout.name(s), into.get(s));
    return {what, found, reader.looks_like()};
  }
  read_result operator()(std::string_view t) { return (*this)(text(t)); }

  config::session_fields names;
  field_layout layout;
  foreign_reader reader;
  record into;
};

}  // namespace

TEST_CASE("the command that reads a session") {
  CHECK(command_for(session_encoding::hash) == "HGETALL");
  CHECK(command_for(session_encoding::spring) == "HGETALL");
  CHECK(command_for(session_encoding::json) == "GET");
  CHECK(command_for(session_encoding::php) == "GET");
  CHECK(command_for(session_encoding::redisjson) == "JSON.GET");
}

TEST_CASE("replies that are no record") {
  auto const e = GENERATE(session_encoding::json, session_encoding::redisjson, session_encoding::php);
  reading read(e);
  reply r;
  CHECK(read(r).what == outcome::absent);
  r.type = kind::error;
  r.text = "WRONGTYPE Operation against a key holding the wrong kind of value";
  CHECK(read(r).what == outcome::wrong_type);
  r.text = "NOSCRIPT No matching script";
  CHECK(read(r).what == outcome::malformed);
  r.type = kind::array;
  CHECK(read(r).what == outcome::malformed);
  r.type = kind::integer;
  CHECK(read(r).what == outcome::malformed);
}

TEST_CASE("JSON: what is read of a session of express-session") {
  reading read(session_encoding::json, "userId", {"plan", "admin", "n", "f", "big", "none", "/cookie/path", "/list/1"});
  auto const r = read(R"( {"cookie":{"originalMaxAge":null,"httpOnly":true,"path":"/"},"userId":42,"role":"user",)"
                      R"("plan":"p\u00e4\ud83d\ude00","admin":true,"n":-7,"f":1.50e3,"big":123456789012345678901234,)"
                      R"("none":null,"list":[{"a":[1]},"second"],"rest":{"deep":[[{"x":{}}]]}} )");
  CHECK(r.what == outcome::found);
  CHECK(r.found == fields{{"userId", "42"},
                          {"role", "user"},
                          {"plan", "p\u00e4\U0001F600"},
                          {"admin", "true"},
                          {"n", "-7"},
                          {"f", "1.50e3"},
                          {"big", "123456789012345678901234"},
                          {"/cookie/path", "/"},
                          {"/list/1", "second"}});
}

TEST_CASE("JSON: pointers") {
  struct row {
    std::string user, document, found;  ///< `found` empty: nobody
  };
  auto const [user, document, found] = GENERATE(values<row>({
      {"/user/id", R"({"user":{"name":"x","id":"42"}})", "42"},
      {"/user/id", R"({"user":{"name":"x"}})", ""},
      {"/user/id", R"({"user":"42"})", ""},
      {"/user/id", R"({"user":["42"]})", ""},
      {"/user/id", R"({"user":null})", ""},
      {"/user/id", R"({"id":"42"})", ""},
      {"/user/id", R"({"/user/id":"42"})", ""},
      {"/a~1b/m~0n", R"({"a/b":{"m~n":"42"}})", "42"},
      {"/", R"({"":"42"})", "42"},
      {"/users/1/id", R"({"users":[{"id":"1"},{"id":"42"}]})", "42"},
      {"/users/01/id", R"({"users":[{"id":"1"},{"id":"42"}]})", ""},
      {"/users/1/id", R"({"users":{"1":{"id":"42"}}})", "42"},
      {"userId", R"({"x":{"userId":"1"}})", ""},
      {"/userId", R"({"userId":"42"})", "42"},
      {"user.id", R"({"user":{"id":"1"},"user.id":"42"})", "42"},
  }));
  CAPTURE(user, document);
  for (auto const e : {session_encoding::json, session_encoding::redisjson}) {
    reading read(e, user);
    auto const r = read(document);
    CHECK(r.what == (found.empty() ? outcome::ghost : outcome::found));
    CHECK(std::string(read.into.user()) == found);
  }
}

TEST_CASE("JSON: two names of one place") {
  reading read(session_encoding::json, "userId", {"/userId"});
  CHECK(read(R"({"userId":"42"})").found == fields{{"userId", "42"}, {"/userId", "42"}});
}

TEST_CASE("JSON: a list of roles") {
  reading read(session_encoding::json, "userId", {"/role/0"});
  CHECK(read(R"({"userId":"1","role":["admin","user"]})").found ==
        fields{{"userId", "1"}, {"role", "admin,user"}, {"/role/0", "admin"}});
  CHECK(read(R"({"userId":"1","role":["admin"]})").found.at("role") == "admin");
  CHECK(read(R"({"userId":"1","role":[]})").found.at("role").empty());
  for (auto const* list : {R"(["a,b"])", R"(["a",1])", R"([" a "])", R"(["a\t"])", R"(["a",""])", R"([true])",
                           R"([null])", R"([["a"]])", R"([{}])", R"({"0":"a"})"}) {
    CAPTURE(list);
    CHECK(read(R"({"userId":"1","role":)"s + list + "}").what == outcome::malformed);
  }
}

TEST_CASE("JSON: what is not read") {
  reading read(session_encoding::json, "userId", {"/a/b"});
  std::string deep(70, '['), objects;
  for (int i = 0; i < 70; ++i)
    objects += "{\"x\":";
  for (auto const& document :
       std::vector<std::string>{"",
                                " ",
                                "null",
                                "42",
                                "\"userId\"",
                                "[]",
                                R"([{"userId":"1"}])",
                                "{",
                                R"({"userId":"1")",
                                R"({"userId":"1"}x)",
                                R"({"userId":"1"}{"userId":"2"})",
                                "{\"userId\":\"1\"}\0"s,
                                "{\"userId\":\"1\"}\0{\"userId\":\"2\"}"s,
                                R"({"userId":"1",})",
                                R"({'userId':'1'})",
                                R"({userId:"1"})",
                                R"({"userId":"1" /* */})",
                                R"({"userId":{}})",
                                R"({"userId":[]})",
                                R"({"userId":["1"]})",
                                R"({"userId":"1","userId":"2"})",
                                R"({"userId":"1","userId":null})",
                                R"({"userId":null,"userId":"1"})",
                                R"({"userId":"1","\u0075serId":"1"})",
                                R"({"userId":"1","a":{"b":"1"},"a":{}})",
                                R"({"userId":"1","a":{"b":"1"},"a":{"b":"2"}})",
                                "{\"userId\":\"\xff\"}",
                                "{\"userId\":\"\xc0\x80\"}",
                                "{\"userId\":\"1\",\"x\":\"\xed\xa0\x80\"}",
                                R"({"userId":"\ud800"})",
                                R"({"userId":"1","x":1e999})",
                                R"({"userId":"1","x":01})",
                                R"({"userId":NaN})",
                                "{\"userId\":\"a\nb\"}",
                                R"({"userId":"1","x":)" + deep + std::string(70, ']') + "}",
                                R"({"userId":"1","x":)" + objects + "1" + std::string(70, '}') + "}",
                                R"({"userId":"1","x":)" + std::string(100'000, '[')}) {
    CAPTURE(document.substr(0, 100));
    auto const r = read(document);
    CHECK(r.what == outcome::malformed);
    CHECK(r.found.empty());
  }
}

TEST_CASE("JSON: nobody is logged in, and where a session was") {
  reading read(session_encoding::json);
  CHECK(read("{}").what == outcome::ghost);
  CHECK(read(R"({"userId":""})").what == outcome::ghost);
  CHECK(read(R"({"userId":null,"role":"x"})").what == outcome::ghost);
  CHECK(read(R"({"userId":"1"})").what == outcome::found);
  CHECK(read("{}").found.empty());  // nothing of the last one stays
}

TEST_CASE("what programs write for nobody is nobody, and no user of that name") {
  reading json(session_encoding::json, "/user/id", {"on"}), php(session_encoding::php, "uid");
  for (auto const* nobody : {"false", "0", "-0", "0.0", "0e5", "null", R"("")"}) {
    CAPTURE(nobody);
    CHECK(json(R"({"on":false,"user":{"id":)"s + nobody + "}}").what == outcome::ghost);
  }
  CHECK(json(R"({"user":{"id":true}})").what == outcome::malformed);
  CHECK(json(R"({"user":{"id":"0"},"on":false})").found == fields{{"/user/id", "0"}, {"on", "false"}});
  CHECK(json(R"({"user":{"id":"false"}})").what == outcome::found);
  CHECK(json(R"({"user":{"id":0.5}})").what == outcome::found);
  CHECK(json(R"({"user":{"id":10}})").found.at("/user/id") == "10");

  for (auto const* nobody : {"b:0;", "i:0;", "d:0;", "d:-0;", "N;", "s:0:\"\";"}) {
    CAPTURE(nobody);
    CHECK(php("uid|"s + nobody).what == outcome::ghost);
    CHECK(php("a:1:{s:3:\"uid\";"s + nobody + "}").what == outcome::ghost);
  }
  CHECK(php("uid|b:1;").what == outcome::malformed);
  CHECK(php("uid|s:1:\"0\";").found.at("uid") == "0");
}

TEST_CASE("PHP: what is read, of both handlers") {
  reading read(session_encoding::php, "userId", {"plan", "on", "f", "/user/name", "/list/1", "none", "role"});
  fields const all{{"userId", "42"}, {"role", "admin,user"}, {"plan", "p\u00e4\"; }"}, {"on", "true"},
                   {"f", "1.0E+25"}, {"/user/name", "bob"},  {"/list/1", "x"}};
  CHECK(read("userId|i:42;role|a:2:{i:0;s:5:\"admin\";i:1;s:4:\"user\";}plan|s:7:\"p\u00e4\"; }\";on|b:1;f|d:1.0E+25;"
             "user|a:2:{s:2:\"id\";i:1;s:4:\"name\";s:3:\"bob\";}list|a:2:{i:0;i:7;i:1;s:1:\"x\";}none|N;")
            .found == all);
  CHECK(read("a:8:{s:6:\"userId\";i:42;s:4:\"role\";a:2:{i:0;s:5:\"admin\";i:1;s:4:\"user\";}s:4:\"plan\";"
             "s:7:\"p\u00e4\"; }\";s:2:\"on\";b:1;s:1:\"f\";d:1.0E+25;s:4:\"user\";a:1:{s:4:\"name\";s:3:\"bob\";}"
             "s:4:\"list\";a:2:{i:0;i:7;i:1;s:1:\"x\";}s:4:\"none\";N;}")
            .found == all);
}

TEST_CASE("PHP: what is passed over") {
  reading read(session_encoding::php);
  for (auto const& v : std::vector<std::string>{
           "O:8:\"stdClass\":1:{s:1:\"a\";i:1;}", "O:3:\"A\\B\":0:{}", "C:11:\"ArrayObject\":5:{x|};{}",
           "E:11:\"Suit:Hearts\";", "R:1;", "r:1;", "d:NAN;", "d:INF;", "d:-INF;", "d:-0;", "i:-5;",
           "s:3:\"\xff\0x\";"s, "a:1:{s:6:\"userId\";s:1:\"2\";}",
           "O:1:\"X\":2:{s:6:\"userId\";R:1;i:0;O:1:\"Y\":1:{s:1:\"a\";a:0:{}}}", "b:0;"}) {
    CAPTURE(v);
    CHECK(read("x|" + v + "userId|s:2:\"42\";").found == fields{{"userId", "42"}});
    CHECK(read("a:2:{s:1:\"x\";" + v + "s:6:\"userId\";s:2:\"42\";}").found == fields{{"userId", "42"}});
  }
}

TEST_CASE("PHP: a wanted field that is no scalar") {
  reading read(session_encoding::php, "userId", {"/user/name"});
  for (auto const* value : {"O:8:\"stdClass\":0:{}", "C:1:\"X\":0:{}", "E:3:\"A:B\";", "R:1;", "r:1;", "a:0:{}",
                            "d:NAN;", "s:1:\"\xff\";"}) {
    CAPTURE(value);
    CHECK(read("userId|"s + value).what == outcome::malformed);
  }
  for (auto const* value : {"O:8:\"stdClass\":1:{s:4:\"name\";s:1:\"x\";}", "R:1;"}) {
    CAPTURE(value);
    CHECK(read("userId|i:1;user|"s + value).what == outcome::malformed);
  }
  for (auto const* list : {"a:1:{i:1;s:1:\"a\";}", "a:2:{i:1;s:1:\"a\";i:0;s:1:\"b\";}", "a:1:{s:1:\"x\";s:1:\"a\";}",
                           "a:1:{i:0;i:1;}", "a:1:{i:0;s:3:\"a,b\";}", "a:1:{i:0;N;}", "a:1:{i:0;a:0:{}}",
                           "a:1:{i:0;O:1:\"X\":0:{}}", "a:1:{i:0;R:1;}", "a:1:{i:0;s:1:\"\xff\";}"}) {
    CAPTURE(list);
    CHECK(read("userId|i:1;role|"s + list).what == outcome::malformed);
  }
}

TEST_CASE("PHP: what is not read") {
  reading read(session_encoding::php);
  std::string nested = "x|", ends;
  for (int i = 0; i < 70; ++i) {
    nested += "a:1:{i:0;";
    ends += '}';
  }
  for (auto const& r : std::vector<std::string>{"userId",
                                                "userId|",
                                                "userId|i:1",
                                                "userId|i:;",
                                                "userId|i:01;",
                                                "userId|i:1.5;",
                                                "userId|i:+1;",
                                                "userId|i: 1;",
                                                "userId|i:123456789012345678901;",
                                                "userId|s:2:\"1\";",
                                                "userId|s:1:\"12\";",
                                                "userId|s:-1:\"\";",
                                                "userId|s:1:\"1\"",
                                                "userId|s:1:'1';",
                                                "userId|S:1:\"1\";",
                                                "userId|s:99999999999999999999:\"1\";",
                                                "userId|b:2;",
                                                "userId|b:true;",
                                                "userId|d:1e5;",
                                                "userId|d:.5;",
                                                "userId|d:1.;",
                                                "userId|d:;",
                                                "userId|N",
                                                "userId|n;",
                                                "userId|i:1;x",
                                                "userId|i:1;|i:2;",
                                                "userId|i:1;!x|",
                                                "!userId|i:1;",
                                                "userId|i:1;userId|i:1;",
                                                "userId|N;userId|i:1;",
                                                "|i:1;",
                                                "userId|i:1;x|a:2:{i:0;i:1;}",
                                                "userId|i:1;x|a:0:{i:0;i:1;}",
                                                "userId|i:1;x|a:1:{d:0;i:1;}",
                                                "userId|i:1;x|a:1:{N;i:1;}",
                                                "userId|i:1;x|a:4294967295:{i:0;i:1;}",
                                                "userId|i:1;x|a:0:{}}",
                                                "userId|i:1;x|o:1:{}",
                                                "userId|i:1;x|O:1:\"X\":1:{R:1;i:1;}",
                                                "userId|i:1;x|C:1:\"X\":9:{}",
                                                "userId|i:1;x|Z:1;",
                                                "userId|i:1;x|R:a;",
                                                "a:1:{s:6:\"userId\";s:1:\"1\";}x",
                                                "a:1:{s:6:\"userId\";s:1:\"1\";}userId|i:2;",
                                                "a:2:{s:6:\"userId\";i:1;s:6:\"userId\";i:2;}",
                                                "a:1:{s:6:\"userId\";s:1:\"1\";",
                                                "a:1:{s:6:\"userId\";}",
                                                "s:20:\"a:1:{s:6:\"userId\";i:1;}\";",
                                                "O:8:\"stdClass\":1:{s:6:\"userId\";i:1;}",
                                                "i:1;",
                                                "N;",
                                                R"({"userId":"1"})",
                                                "\x80\x04\x95",
                                                "userId|i:1;" + nested + "i:1;" + ends,
                                                "userId|i:1;x|" + std::string(100'000, 'a')}) {
    CAPTURE(r.substr(0, 100));
    auto const got = read(r);
    CHECK(got.what == outcome::malformed);
    CHECK(got.found.empty());
  }
}

TEST_CASE("PHP: a text that both handlers could have written is nobody's") {
  reading read(session_encoding::php);
  // The variable's name is whatever stands before the bar.
  auto const name = "a:2:{s:6:\"userId\";s:4:\"root\";s:1:\"x\";s:22:\""s;
  auto const value = "a:1:{s:3:\"qty\";s:1:\"1\";}"s;
  CHECK(read(name + '|' + value).what == outcome::malformed);
  CHECK(read("a:1:{s:6:\"userId\";s:6:\"|i:42;\";}").found.at("userId") == "|i:42;");
}

TEST_CASE("PHP: an empty session is somebody's who is not logged in") {
  reading read(session_encoding::php);
  CHECK(read("").what == outcome::ghost);
  CHECK(read("a:0:{}").what == outcome::ghost);
  CHECK(read("x|i:1;").what == outcome::ghost);
}

TEST_CASE("what an unreadable record looks like, and what to do") {
  struct row {
    session_encoding e;
    std::string record;
    likeness looks;
    std::string_view hint;
  };
  using enum session_encoding;
  auto const [e, record_, looks, hint] = GENERATE(values<row>({
      {json, "userId|s:2:\"42\";", likeness::php, "session.encoding: php"},
      {json, "a:1:{s:6:\"userId\";i:1;}", likeness::php, "session.encoding: php"},
      {php, R"({"userId":"1"})", likeness::json, "session.encoding: json"},
      {json, "\x80\x05\x95\x1e", likeness::pickle, "JSON"},
      {json, "(dp0\nVuserId", likeness::pickle, "JSON"},
      {php, "\0\0\0\x02\x14\x01"s, likeness::igbinary, "php_serialize"},
      {json, "\x81\xa6userId", likeness::msgpack, "JSON"},
      {json, "\xac\xed\0\x05sr"s, likeness::java, "spring"},
      {json, "hello there", likeness::text, "docs/foreign-sessions.md"},
      {json, "\x01\x02\x03", likeness::bytes, "docs/foreign-sessions.md"},
      {json, "", likeness::nothing, "docs/foreign-sessions.md"},
      {json, R"({"userId":{}})", likeness::json, "session.fields.roles"},
  }));
  CAPTURE(record_);
  reading read(e);
  auto const r = read(record_);
  CHECK(r.what == outcome::malformed);
  CHECK(r.looks == looks);
  CHECK_FALSE(describe(r.looks).empty());
  CHECK(hint_for(e, r.what, r.looks).find(hint) != std::string_view::npos);
}
