#include <sstream>

#include "loading.hpp"

using namespace doorward::config;

namespace {

std::string printed(std::string const& text) {
  auto const got = load(text, "gate.yaml", test_environment);
  std::ostringstream out;
  print(out, got.problems, text, "gate.yaml");
  return out.str();
}

}  // namespace

TEST_CASE("problems are printed with their line, a caret and a suggestion") {
  CHECK(printed(R"(redis: { url: "redis://:geheim@127.0.0.1", passwort: x }
server:
  timeouts: { header: 30 }
upstreams: { app: http://127.0.0.1:3000, id: http://127.0.0.1:4000 }
identity: { upstream: id }
routes:
  - { path: /**, upstream: app }
  - { path: /b, upstream: app }
)") ==
        R"(gate.yaml:1:44: error: redis.passwort: unknown key
  redis: { url: "redis://*******@127.0.0.1", passwort: x }
                                             ^
  did you mean `password`?
gate.yaml:3:23: error: server.timeouts.header: a duration needs a unit
    timeouts: { header: 30 }
                        ^
  write `30s`
gate.yaml:8:13: warning: routes[1].path: no request gets here: the route on line 7 takes all of them
    - { path: /b, upstream: app }
              ^
  the first route that matches decides; put the narrower one in front
)");
}

TEST_CASE("a key that ids are signed with is not printed, on whatever line it stands") {
  auto const shown = printed(completed(R"(session:
  cookie:
    keys:
      - geheim
      - "geheim"   # geheim
      - my-keys-are-geheim
      - "${SECRET}"
)"));
  CHECK(shown.find("geheim") == std::string::npos);
  CHECK(shown.find("session.cookie.keys[1]: a key has at least 32 characters\n        - ********") !=
        std::string::npos);
  CHECK(shown.find("        - \"${SECRET}\"\n") != std::string::npos);
}

TEST_CASE("a key that ids are signed with is not printed by a complaint about another, or about the file") {
  auto const below = printed(completed("session:\n  cookie:\n    keys: [\n      my-keys-are-geheim, short ]\n"));
  CHECK(below.find("geheim") == std::string::npos);
  CHECK(below.find("session.cookie.keys[1]") != std::string::npos);
  auto const open = printed(completed("session:\n  cookie:\n    keys:\n      - \"geheim\n"));
  CHECK(open.find("geheim") == std::string::npos);
}

TEST_CASE("a secret is not printed, however its name is written") {
  auto const text = GENERATE(values<std::string>({"admin:\n  token: geheim\n", "admin:\n  token:\n    geheim\n",
                                                  "admin:\n  token : geheim\n", "admin:\n  \"token\" : geheim\n",
                                                  "admin: { token : geheim }\n", "admin:\n  ? token\n  : geheim\n"}));
  auto const shown = printed(completed(text));
  CAPTURE(shown);
  CHECK(shown.find("admin.token") != std::string::npos);
  CHECK(shown.find("geheim") == std::string::npos);
}

TEST_CASE("a problem without a path, and one about what is not there") {
  CHECK(printed("a: [\n") == "gate.yaml:2:1: error: a `[` before this is not closed\n");
  CHECK(printed("") ==
        "gate.yaml:1:1: error: the file is empty\n  docs/configuration.md begins with the smallest one\n");
}

TEST_CASE("the caret stands below the character, whatever its bytes and tabs") {
  auto const text = completed("\xEF\xBB\xBFserver: {\t\"\xC3\xBC\xC3\xBC\": 1, workers: 0 }\n");
  auto const got = load(text, "f", test_environment);
  std::ostringstream out;
  print(out, got.problems, text, "f");
  CHECK(out.str().find("f:1:29: error: server.workers") != std::string::npos);
  CHECK(out.str().find("\n  " + std::string(9, ' ') + "\t" + std::string(18, ' ') + "^\n") != std::string::npos);
}

TEST_CASE("a key that would steer the terminal does not") {
  auto const shown = printed(completed("\"\\e[31mred\\n\": 1\n"));
  CHECK(shown.find('\x1b') == std::string::npos);
  CHECK(shown.find("error: ?[31mred?: unknown key\n") != std::string::npos);
}

TEST_CASE("of a long line the part around the caret is shown") {
  auto const text = completed("server: { " + std::string(500, ' ') + "workers: 0" + std::string(500, ' ') + "}\n");
  auto const got = load(text, "f", test_environment);
  std::ostringstream out;
  print(out, got.problems, text, "f");
  std::istringstream lines{out.str()};
  std::string first, source, caret;
  std::getline(lines, first);
  std::getline(lines, source);
  std::getline(lines, caret);
  CHECK(source.size() <= 162);
  REQUIRE(caret.find('^') != std::string::npos);
  CHECK(source[caret.find('^')] == '0');
}

TEST_CASE("a file that cannot be read has no line to show") {
  struct row {
    char const *file, *why;
  };
  for (auto const& [file, why] : std::vector<row>{{"/nonexistent/doorward.yaml", "no such file or directory"},
                                                  {"/dev/null/doorward.yaml", "not a directory"},
                                                  {"/", "is a directory"},
                                                  {"/proc/self/mem", "input/output error"}}) {
    INFO(file);
    auto const got = load_file(file);
    CHECK_FALSE(got.value.has_value());
    std::ostringstream out;
    print(out, got.problems, got.text, "doorward.yaml");
    CHECK(out.str() == fmt::format("doorward.yaml: error: {}\n", why));
  }
}
