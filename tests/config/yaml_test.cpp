#include "config/yaml.hpp"

#include <fmt/format.h>

#include "catch.hpp"

using namespace doorward::config;

namespace {

struct outcome {
  std::optional<node> tree;
  std::vector<problem> problems;
};

outcome parse(std::string_view text) {
  problem_list problems;
  outcome out;
  out.tree = parse_yaml(text, problems);
  out.problems = problems.take();
  return out;
}

std::string repeat(std::string const& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i)
    out += text;
  return out;
}

}  // namespace

TEST_CASE("every node knows its place") {
  auto const got = parse("# intro\na: 1\n\xC3\xBC: { c: \"x y\", d: ~ }\nlist:\n  - p\n  - q: 'r'\n");
  REQUIRE(got.problems.empty());
  REQUIRE(got.tree);
  auto const& root = *got.tree;
  REQUIRE(root.members.size() == 3);
  CHECK(root.members[0].where.line == 2);
  CHECK(root.members[0].value.where.column == 4);
  auto const& map = root.members[1].value;
  CHECK(map.where.line == 3);
  CHECK(map.where.column == 4);  // behind an umlaut, which is two bytes
  CHECK(map.members[0].value.where.column == 9);
  CHECK(map.members[0].value.text_where.column == 10);
  CHECK(map.members[0].value.at(2).column == 12);
  CHECK(map.members[1].value.type == node::kind::null);
  auto const* list = root.find("list");
  REQUIRE(list != nullptr);
  CHECK(list->where.line == 5);
  CHECK(list->items[1].members[0].value.where.column == 8);
  CHECK(root.find("nothing") == nullptr);
}

TEST_CASE("a value that the source shows otherwise has one place only") {
  auto const got = parse("a: \"x\\ty z\"\nb: |\n  text\nc: >-\n  folded\n  text\n");
  REQUIRE(got.tree);
  for (auto const& m : got.tree->members) {
    CHECK_FALSE(m.value.verbatim);
    CHECK(m.value.at(3).column == m.value.where.column);
  }
  CHECK(got.tree->find("c")->text == "folded text");
}

TEST_CASE("aliases stand for what they name, in the place where that was written") {
  auto const got = parse("a: &x { b: 1 }\nc: *x\nd: [*x, *x]\ne: &y word\nf: *y\n");
  REQUIRE(got.problems.empty());
  REQUIRE(got.tree);
  REQUIRE(got.tree->find("c")->find("b") != nullptr);
  CHECK(got.tree->find("c")->find("b")->text == "1");
  CHECK(got.tree->find("d")->items.size() == 2);
  CHECK(got.tree->find("f")->text == "word");
}

TEST_CASE("what is wrong but can be read on from") {
  struct row {
    char const *text, *path, *why;
    std::size_t line, column;
  };
  for (auto const& [text, path, why, line, column] :
       std::vector<row>{{"a: 1\nb: 2\na: 3\n", "a", "this key is given twice; first on line 1", 3, 1},
                        {"x:\n  - a: 1\n    a: 2\n", "x[0].a", "this key is given twice; first on line 2", 3, 5},
                        {"a: &x {b: 1}\nc: {<<: *x}\n", "c.<<", "merge keys (`<<`) are not used here", 2, 5},
                        {"a: !!int 5\n", "a", "YAML tags are not used here", 1, 4},
                        {"a: {b: !secret x}\n", "a.b", "YAML tags are not used here", 1, 8},
                        {"a: !!map {}\n", "a", "YAML tags are not used here", 1, 4},
                        {"? [a, b]\n: c\n", "", "a key must be a name, not a list", 1, 3},
                        {"{a: 1}: c\n", "", "a key must be a name, not a mapping", 1, 1},
                        {"~: c\n", "", "a key must be a name, not nothing", 1, 1}}) {
    INFO(text);
    auto const got = parse(text);
    CHECK(got.tree.has_value());
    REQUIRE(got.problems.size() == 1);
    CHECK(got.problems[0].path == path);
    CHECK(got.problems[0].text == why);
    CHECK(got.problems[0].where.line == line);
    if (column != 1) CHECK(got.problems[0].where.column == column);
  }
}

TEST_CASE("every repeated key is named, the first stays") {
  auto const got = parse("a: 1\na: 2\nb: 3\na: 4\n");
  REQUIRE(got.tree);
  CHECK(got.problems.size() == 2);
  CHECK(got.tree->members.size() == 2);
  CHECK(got.tree->find("a")->text == "1");
}

TEST_CASE("text that cannot be read is one problem with its place") {
  struct row {
    std::string text, why;
    std::size_t line, column;
  };
  using namespace std::string_literals;
  for (auto const& [text, why, line, column] : std::vector<row>{
           {"", "the file is empty", 1, 1},
           {"# only a comment\n\n", "the file is empty", 1, 1},
           {"a: 1\n---\nb: 2\n", "only one YAML document may stand in the file", 2, 1},
           {"a:\n\tb: 1\n", "a tab cannot indent YAML", 2, 1},
           {"a:\n  b: 1\n \tc: 1\n", "a tab cannot indent YAML", 3, 2},
           {"a: b: c\n", "a `key: value` cannot begin here", 1, 5},
           {"a: [1, 2\n", "a `[` before this is not closed", 2, 1},
           {"a: {b: 1\n", "a `{` before this is not closed", 2, 1},
           {"a: {b: ${C}, d: e}\n", "inside `{ }` and `[ ]`, YAML takes the brace of `${` for its own", 1, 8},
           {"a: [x, ${C:-d}]\n", "inside `{ }` and `[ ]`, YAML takes the brace of `${` for its own", 1, 8},
           {"a: @x\n", "a value cannot begin with this character", 1, 4},
           {"a: `x`\n", "a value cannot begin with this character", 1, 4},
           {"a: %x\n", "a value cannot begin with this character", 1, 4},
           {"a: *nowhere\n", "no anchor of this name stands before it", 1, 4},
           {"a: &x [*x]\n", "this alias stands inside the value it names", 1, 8},
           {"a:\n  - b: 1\n c: 2\n", "this line is neither a key of the mapping before it nor indented below it", 3, 2},
           {"a: \"never closed\nb: 1\n", "this quote is never closed", 1, 4},
           {"a: 'it''s\nb: 1\n", "this quote is never closed", 1, 4},
           {"a: {b: \"never closed }\n", "this quote is never closed", 1, 8},
           {"a: &x \"never\n", "this quote is never closed", 1, 7},
           {"a: \xff\n", "not UTF-8 text: this byte cannot stand in the file", 1, 4},
           {"a: x\0y\n"s, "not UTF-8 text: this byte cannot stand in the file", 1, 5},
           {"\xff\xfe\x61\0"s, "not UTF-8 text: this byte cannot stand in the file", 1, 1},
           {"%YAML 9.0\n---\na: 1\n", "not YAML: YAML major version too large", 1, 1}}) {
    INFO(text);
    auto const got = parse(text);
    CHECK_FALSE(got.tree.has_value());
    REQUIRE(got.problems.size() == 1);
    CHECK(got.problems[0].text == why);
    CHECK(got.problems[0].where.line == line);
    CHECK(got.problems[0].where.column == column);
  }
}

TEST_CASE("a document marker in front or an end marker behind is fine") {
  for (auto const* text :
       {"---\na: 1\n", "a: 1\n...\n", "%YAML 1.2\n---\na: 1\n", "a: \"x\"", "a: 'it''s'", "a: \"\\\"\""}) {
    INFO(text);
    CHECK(parse(text).problems.empty());
  }
}

TEST_CASE("what would take all memory or stack is cut") {
  struct row {
    std::string text, why;
  };
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    laughs += fmt::format("a{0}: &a{0} [{1}]\n", i, repeat(fmt::format("*a{}, ", i - 1), 10));
  }
  std::string chain = "a0: &a0 [x]\n";
  for (int i = 1; i < 100; ++i) {
    chain += fmt::format("a{0}: &a{0} [*a{1}]\n", i, i - 1);
  }
  auto const fat = "a: &a " + std::string(100'000, 'x') + "\nb: [" + repeat("*a, ", 1'000) + "]\n";
  for (auto const& [text, why] :
       std::vector<row>{{repeat("[", 100'000), "nested more than 32 levels deep"},
                        {"a: " + repeat("{a: ", 100'000), "nested more than 32 levels deep"},
                        {repeat("- ", 100'000), "nested more than 32 levels deep"},
                        {chain, "nested more than 32 levels deep"},
                        {laughs, "more than 50000 values (aliases expanded)"},
                        {fat, "more than 50000 values (aliases expanded)"},
                        {"a: [" + repeat("1,", 60'000) + "]", "more than 50000 values (aliases expanded)"},
                        {"# " + std::string(max_file_bytes, 'x'), "larger than 1024 KiB"}}) {
    INFO(text.substr(0, 40));
    auto const got = parse(text);
    CHECK_FALSE(got.tree.has_value());
    REQUIRE(got.problems.size() == 1);
    CHECK(got.problems[0].text == why);
  }
}

TEST_CASE("as deep and as large as is allowed") {
  CHECK(parse("a: " + repeat("[", 31) + repeat("]", 31)).tree.has_value());
  CHECK_FALSE(parse("a: " + repeat("[", 32) + repeat("]", 32)).tree.has_value());
  CHECK(parse("a: 1 #" + std::string(max_file_bytes - 6, 'x')).tree.has_value());
}
