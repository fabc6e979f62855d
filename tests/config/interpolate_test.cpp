#include "config/interpolate.hpp"

#include <filesystem>
#include <fstream>

#include "loading.hpp"

using namespace doorward::config;

namespace {

class folder {
public:
  folder() : path_(std::filesystem::temp_directory_path() / "doorward-interpolate-test") {
    std::filesystem::create_directories(path_ / "sub");
  }
  ~folder() { std::filesystem::remove_all(path_); }
  folder(folder const&) = delete;
  folder& operator=(folder const&) = delete;

  void write(std::string const& name, std::string const& content) const {
    std::ofstream{path_ / name, std::ios::binary} << content;
  }
  [[nodiscard]] std::filesystem::path const& path() const { return path_; }

private:
  std::filesystem::path path_;
};

parsed<interpolated> run(std::string_view raw, std::filesystem::path const& base = {}) {
  return interpolate(raw, {test_environment, base});
}

std::string text_of(parsed<interpolated> const& p) {
  REQUIRE(std::holds_alternative<interpolated>(p));
  return std::get_if<interpolated>(&p)->text;
}

}  // namespace

TEST_CASE("variables, defaults and dollars are put in") {
  struct row {
    char const *raw, *text;
    bool changed;
  };
  for (auto const& [raw, text, changed] : std::vector<row>{{"", "", false},
                                                           {"plain", "plain", false},
                                                           {"${HOST}", "10.1.2.3", true},
                                                           {"http://${HOST}:${PORT}/", "http://10.1.2.3:8123/", true},
                                                           {"${EMPTY}", "", true},
                                                           {"${EMPTY:-fallback}", "fallback", true},
                                                           {"${MISSING:-fallback}", "fallback", true},
                                                           {"${MISSING:-}", "", true},
                                                           {"${MISSING:-a:-b$c}", "a:-b$c", true},
                                                           {"${HOST:-fallback}", "10.1.2.3", true},
                                                           {"$$", "$", false},
                                                           {"$${HOST}", "${HOST}", false},
                                                           {"a$$$$b", "a$$b", false}}) {
    INFO(raw);
    auto const got = run(raw);
    CHECK(text_of(got) == text);
    CHECK(std::get_if<interpolated>(&got)->changed == changed);
  }
}

TEST_CASE("what cannot be put in is named, with its place") {
  constexpr char forms[] = "`${...}` holds a variable's name, `NAME:-default` or `file:PATH`";
  struct row {
    char const *raw, *why;
    std::size_t offset;
  };
  for (auto const& [raw, why, offset] :
       std::vector<row>{{"a ${MISSING}", "the environment variable MISSING is not set", 2},
                        {"$HOST", "a `$` alone means nothing", 0},
                        {"cost: 5$", "a `$` alone means nothing", 7},
                        {"${HOST", "this `${` is not closed", 0},
                        {"${}", forms, 0},
                        {"${1A}", forms, 0},
                        {"${A-B}", forms, 0},
                        {"${HOST:?no}", forms, 0},
                        {"${ HOST }", forms, 0},
                        {"x${MISSING:-${HOST}}", "`${...}` cannot be nested", 1},
                        {"${file:}", "`${file:}` names no file", 0},
                        {"${file:nowhere}", "the file `nowhere` cannot be read: No such file or directory", 0}}) {
    INFO(raw);
    auto const got = run(raw, "/nonexistent");
    REQUIRE(std::holds_alternative<complaint>(got));
    CHECK(std::get_if<complaint>(&got)->text == why);
    CHECK(std::get_if<complaint>(&got)->offset == offset);
  }
}

TEST_CASE("a file's content is put in without its last line end") {
  folder const dir;
  struct row {
    char const *content, *text;
  };
  for (auto const& [content, text] : std::vector<row>{{"secret\n", "secret"},
                                                      {"secret\r\n", "secret"},
                                                      {"secret", "secret"},
                                                      {"secret\n\n", "secret\n"},
                                                      {"secret\r", "secret\r"},
                                                      {"", ""},
                                                      {"${HOST}$\n", "${HOST}$"}}) {
    dir.write("password", content);
    CHECK(text_of(run("${file:password}", dir.path())) == text);
    CHECK(text_of(run("${file:../password}", dir.path() / "sub")) == text);
    CHECK(text_of(run("${file:" + (dir.path() / "password").string() + "}", "/elsewhere")) == text);
  }
}

TEST_CASE("a file that is no secret is refused") {
  folder const dir;
  dir.write("large", std::string(max_secret_file_bytes + 1, 'x'));
  dir.write("full", std::string(max_secret_file_bytes, 'x'));
  CHECK(std::get<complaint>(run("${file:large}", dir.path())).text == "the file `large` is larger than 64 KiB");
  CHECK(std::get<complaint>(run("${file:sub}", dir.path())).text == "`sub` is a folder, not a file");
  CHECK(text_of(run("${file:full}", dir.path())).size() == max_secret_file_bytes);
}
