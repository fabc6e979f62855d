#include "config/url.hpp"

#include "catch.hpp"

using namespace doorward::config;

TEST_CASE("a Redis URL says where, which database and who") {
  struct row {
    char const *text, *server;
    unsigned database;
    std::optional<std::string> user, password;
  };
  for (auto const& [text, server, database, user, password] : std::vector<row>{
           {"redis://127.0.0.1", "127.0.0.1:6379", 0, {}, {}},
           {"redis://Redis.example.com:7000/15", "redis.example.com:7000", 15, {}, {}},
           {"REDIS://[::1]:7000/", "[::1]:7000", 0, {}, {}},
           {"redis://:pw@h", "h:6379", 0, {}, "pw"},
           {"redis://user@h", "h:6379", 0, "user", {}},
           {"redis://us%65r:p%40ss%2F%23@h:1/2", "h:1", 2, "user", "p@ss/#"},
           {"redis://user:@h", "h:6379", 0, "user", ""},
           {"unix:///run/redis.sock", "unix:/run/redis.sock", 0, {}, {}},
           {"unix:/run/redis.sock", "unix:/run/redis.sock", 0, {}, {}},
           {"unix:///run/redis.sock?db=3&password=a%26b&username=u", "unix:/run/redis.sock", 3, "u", "a&b"},
           {"unix:///run/r%20s.sock?db=0", "unix:/run/r s.sock", 0, {}, {}}}) {
    INFO(text);
    auto const got = parse_redis_url(text);
    REQUIRE(std::holds_alternative<redis_url>(got));
    auto const& url = *std::get_if<redis_url>(&got);
    CHECK(url.server.text == server);
    CHECK(url.database == database);
    CHECK(url.username == user);
    CHECK(url.password.has_value() == password.has_value());
    if (password) CHECK(url.password->reveal() == *password);
  }
}

TEST_CASE("what is no Redis URL, without a word of its password") {
  constexpr char host[] = "the URL's host is not a name or address";
  constexpr char port[] = "the URL's port is a number from 1 to 65535";
  constexpr char database[] = "the database is a number from 0 to 65535";
  struct row {
    char const *text, *why;
  };
  for (auto const& [text, why] :
       std::vector<row>{{"", "not a URL"},
                        {"127.0.0.1:6379", "not a URL"},
                        {"localhost:6379", "not a Redis URL"},
                        {"http://h", "not a Redis URL"},
                        {"redis:h", "not a Redis URL"},
                        {"redis://", "the URL has no host"},
                        {"redis://:pw@", "the URL has no host"},
                        {"redis://geheim:pa ss@h", "not a URL"},
                        {"redis://geheim:pa#ss@h", "a `#` in a Redis URL means nothing"},
                        {"redis://h#0", "a `#` in a Redis URL means nothing"},
                        {"redis://a%00b", host},
                        {"redis://1.2.3.999", host},
                        {"redis://h:0", port},
                        {"redis://h:", port},
                        {"redis://h:99999", port},
                        {"redis://h/x", database},
                        {"redis://h/-1", database},
                        {"redis://h/65536", database},
                        {"redis://h/0/1", database},
                        {"redis://h?db=1", "a redis:// URL has no parameters"},
                        {"rediss://h", "not available yet"},
                        {"unix://host/run/redis.sock", "a unix socket has no host"},
                        {"unix:run/redis.sock", "the path of a unix socket is absolute"},
                        {"unix:///run/redis.sock?db=x", database},
                        {"unix:///run/redis.sock?database=1", "the URL has a parameter that means nothing here"},
                        {"unix:///run/a%00b", "a path cannot hold a NUL"}}) {
    INFO(text);
    auto const got = parse_redis_url(text);
    REQUIRE(std::holds_alternative<complaint>(got));
    auto const& c = *std::get_if<complaint>(&got);
    CHECK(c.text == why);
    CHECK(c.text.find("geheim") == std::string::npos);
    CHECK(c.suggestion.find("geheim") == std::string::npos);
  }
}

TEST_CASE("an upstream's URL") {
  struct row {
    char const *text, *written;
  };
  for (auto const& [text, written] : std::vector<row>{{"http://127.0.0.1:3000", "127.0.0.1:3000"},
                                                      {"http://App", "app:80"},
                                                      {"HTTP://[::1]:3000", "[::1]:3000"},
                                                      {"https://App", "app:443"},
                                                      {"https://app:8443", "app:8443"},
                                                      {"unix:/run/app.sock", "unix:/run/app.sock"}}) {
    INFO(text);
    auto const got = parse_upstream_url(text);
    REQUIRE(std::holds_alternative<endpoint>(got));
    CHECK(std::get_if<endpoint>(&got)->text == written);
    CHECK(std::get_if<endpoint>(&got)->tls == std::string_view(text).starts_with("https"));
  }
}

TEST_CASE("what is no upstream's URL") {
  constexpr char form[] = "not an upstream's URL: `http://host:port`, `https://host:port` or `unix:/path`";
  constexpr char ends[] = "an upstream's URL ends after the port";
  constexpr char rewrite[] = "; paths are changed by a route's `rewrite` or `strip_prefix`";
  struct row {
    char const *text, *why;
    std::string fix;
  };
  for (auto const& [text, why, fix] : std::vector<row>{
           {"", form, "for example `http://127.0.0.1:3000`"},
           {"127.0.0.1:3000", form, "write `http://127.0.0.1:3000`"},
           {"app:3000", form, "write `http://app:3000`"},
           {"ftp://app", form, "for example `http://127.0.0.1:3000`"},
           {"http:app", form, "for example `http://127.0.0.1:3000`"},
           {"http://app:3000/", ends, "write `http://app:3000`" + std::string{rewrite}},
           {"https://app/", ends, "write `https://app:443`" + std::string{rewrite}},
           {"http://app/a", ends, "write `http://app:80`" + std::string{rewrite}},
           {"http://app?x", ends, "write `http://app:80`" + std::string{rewrite}},
           {"http://app#x", ends, "write `http://app:80`" + std::string{rewrite}},
           {"http://u:p@app", "an upstream's URL has no user or password", ""},
           {"http://:3000", "the URL has no host", "for example `http://127.0.0.1:3000`"},
           {"http://app:0", "the URL's port is a number from 1 to 65535", "for example `http://127.0.0.1:3000`"},
           {"unix:x", "the path of a unix socket is absolute", "write `unix:/...`"}}) {
    INFO(text);
    auto const got = parse_upstream_url(text);
    REQUIRE(std::holds_alternative<complaint>(got));
    CHECK(std::get_if<complaint>(&got)->text == why);
    CHECK(std::get_if<complaint>(&got)->suggestion == fix);
  }
}

TEST_CASE("an origin is written as browsers write it") {
  struct row {
    char const *text, *origin;
  };
  for (auto const& [text, origin] : std::vector<row>{{"", ""},
                                                     {"https://App.Example.com", "https://app.example.com"},
                                                     {"https://app.example.com:443", "https://app.example.com"},
                                                     {"http://app:80", "http://app"},
                                                     {"http://app:443", "http://app:443"},
                                                     {"HTTPS://[::1]:8443", "https://[::1]:8443"},
                                                     {"https://[::1]", "https://[::1]"}}) {
    INFO(text);
    auto const got = parse_origin(text);
    REQUIRE(std::holds_alternative<std::string>(got));
    CHECK(*std::get_if<std::string>(&got) == origin);
  }
}

TEST_CASE("what is no origin") {
  constexpr char form[] = "not an origin: `https://host` or `https://host:port`";
  constexpr char more[] = "an origin is scheme, host and port, and nothing else";
  struct row {
    char const *text, *why, *fix;
  };
  for (auto const& [text, why, fix] : std::vector<row>{
           {"app.example.com", form, "write `https://app.example.com`"},
           {"app.example.com:8443", form, "write `https://app.example.com:8443`"},
           {"ws://app", form, "for example `https://app.example.com`"},
           {"https:/app", form, "for example `https://app.example.com`"},
           {"https://app/", more, "write `https://app`"},
           {"https://app/path", more, "write `https://app`"},
           {"https://u@app:8443", more, "write `https://app:8443`"},
           {"https://app?", more, "write `https://app`"},
           {"https://a_b..c", "the URL's host is not a name or address", "for example `https://app.example.com`"}}) {
    INFO(text);
    auto const got = parse_origin(text);
    REQUIRE(std::holds_alternative<complaint>(got));
    CHECK(std::get_if<complaint>(&got)->text == why);
    CHECK(std::get_if<complaint>(&got)->suggestion == fix);
  }
}
