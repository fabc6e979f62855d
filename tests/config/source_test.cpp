#include "config/source.hpp"

#include "catch.hpp"

using namespace doorward::config;

TEST_CASE("columns count characters, lines count line feeds") {
  std::string const text = "ab\n\xC3\xA4\xE2\x82\xAC\xF0\x9F\x9A\xAAx\r\nlast";
  CHECK(position_of(text, 0).line == 1);
  CHECK(position_of(text, 0).column == 1);
  CHECK(position_of(text, 2).column == 3);
  auto const x = position_of(text, text.find('x'));
  CHECK(x.line == 2);
  CHECK(x.column == 4);
  CHECK(position_of(text, text.size()).line == 3);
  CHECK(position_of(text, text.size()).column == 5);
}

TEST_CASE("a line is given without its end") {
  CHECK(line_of("a\r\nb\n\nc", 1) == "a");
  CHECK(line_of("a\r\nb\n\nc", 2) == "b");
  CHECK(line_of("a\r\nb\n\nc", 3).empty());
  CHECK(line_of("a\r\nb\n\nc", 4) == "c");
  CHECK(line_of("a\r\nb\n\nc", 5).empty());
  CHECK(line_of("", 1).empty());
}

TEST_CASE("the first byte that is not text is found") {
  struct row {
    std::string text;
    std::optional<std::size_t> bad;
  };
  using namespace std::string_literals;
  for (auto const& [text, bad] : std::vector<row>{{"", {}},
                                                  {"plain\ttext\r\n", {}},
                                                  {"\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEF\xBF\xBF", {}},
                                                  {"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", {}},
                                                  {"a\0b"s, 1},
                                                  {"a\x1b[0m", 1},
                                                  {"ab\x7f", 2},
                                                  {"a\rb", 1},
                                                  {"a\r", 1},
                                                  {"\x80", 0},
                                                  {"a\xC3", 1},
                                                  {"\xC0\xAF", 0},
                                                  {"\xC1\xBF", 0},
                                                  {"\xE0\x9F\xBF", 0},
                                                  {"\xED\xA0\x80", 0},
                                                  {"\xF0\x8F\xBF\xBF", 0},
                                                  {"\xF4\x90\x80\x80", 0},
                                                  {"\xF5\x80\x80\x80", 0},
                                                  {"\xFF\xFE", 0},
                                                  {"\xE2\x82", 0}}) {
    CHECK(find_bad_byte(text) == bad);
  }
}

TEST_CASE("passwords on a line are covered, character for character") {
  struct row {
    char const *line, *shown;
  };
  for (auto const& [line, shown] :
       std::vector<row>{{"listen: 127.0.0.1:80", "listen: 127.0.0.1:80"},
                        {"url: redis://u:geheim@h:6379/0", "url: redis://********@h:6379/0"},
                        {"url: redis://:p@ss@h:6379/0 # x@y", "url: redis://*****@h:6379/0 # x@y"},
                        {"a: http://h/b@c d: redis://u@h", "a: http://***@c d: redis://*@h"},
                        {"url: redis://h/0", "url: redis://h/0"},
                        {"  password: hunter2, really", "  password: ***************"},
                        {"  password: \"a b\" # why", "  password: \"***\" # why"},
                        {"  password: 'h\xC3\xBC' # why", "  password: '**' # why"},
                        {"  \"password\": \"abc\"", "  \"password\": \"***\""},
                        {"redis: { password: abc, bogus: 1 }", "redis: { password: ***, bogus: 1 }"},
                        {"redis: { password: abc}", "redis: { password: ***}"},
                        {"redis: { password: ${SECRET}, bogus: 1 }", "redis: { password: ${SECRET}, bogus: 1 }"},
                        {"  password: \"${file:/run/secrets/p}\"", "  password: \"${file:/run/secrets/p}\""},
                        {"unix:///r.sock?password=abc&db=1", "unix:///r.sock?password=***&db=1"},
                        {"  password:", "  password:"},
                        {"admin: { token: abcdef, listen: x }", "admin: { token: ******, listen: x }"},
                        {"  token: \"${file:/run/token}\"", "  token: \"${file:/run/token}\""},
                        {"cookie: { keys: [abc, \"d,e\", 'f', ${G}, \"${file:/h}\", ij], bogus: 1 }",
                         "cookie: { keys: [***, \"***\", '*', ${G}, \"${file:/h}\", **], bogus: 1 }"},
                        {"keys: [ abc , def", "keys: [ ****, ***"},
                        {"keys: abc, def", "keys: ********"},
                        {"\"keys\": [\"abc\"", "\"keys\": [\"***\""},
                        {"keys: [{ kid: a, key: a.pem }]", "keys: [{ kid: a, key: a.pem }]"},
                        {"keys:", "keys:"},
                        {"keys: []", "keys: []"},
                        {"  password: \"open", "  password: \"****"}}) {
    CHECK(mask_secrets(line) == shown);
  }
}
