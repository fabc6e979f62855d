#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "config/yaml.hpp"
#include "loading.hpp"
#include "reference.hpp"

using namespace doorward::config;
using nlohmann::json;

namespace {

std::filesystem::path const root{DOORWARD_SOURCE_DIR};

std::string read(std::filesystem::path const& file) {
  std::ifstream in{file};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<std::filesystem::path> example_files() {
  std::vector<std::filesystem::path> files;
  for (auto const& entry : std::filesystem::recursive_directory_iterator{root / "conf"}) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Every value at a path of the reference: "routes[].auth" is one for each route that has it.
void collect(node const& n, std::string_view path, std::vector<node const*>& out) {
  if (path.empty()) return out.push_back(&n);
  if (path.starts_with('.')) path.remove_prefix(1);
  if (path.starts_with("[]")) {
    for (auto const& item : n.items)
      collect(item, path.substr(2), out);
    return;
  }
  auto const end = std::min(path.find_first_of(".["), path.size());
  for (auto const& m : n.members) {
    if (path.substr(0, end) == "NAME" || path.substr(0, end) == m.key) collect(m.value, path.substr(end), out);
  }
}

node tree_of(std::string const& text) {
  problem_list problems;
  auto tree = parse_yaml(text, problems);
  REQUIRE(tree);
  return *std::move(tree);
}

// A property of the schema by its reference path, through lists, dictionaries and alternatives.
json const* property(json const& schema, std::string_view path) {
  if (path.empty()) return &schema;
  if (path.starts_with('.')) path.remove_prefix(1);
  if (schema.contains("anyOf")) {
    for (auto const& alternative : schema["anyOf"]) {
      if (auto const* found = property(alternative, path)) return found;
    }
    return nullptr;
  }
  auto const end = path.starts_with("[]") ? 2 : std::min(path.find_first_of(".["), path.size());
  auto const step = std::string{path.substr(0, end)};
  auto const rest = path.substr(end);
  if (step == "[]") return schema.contains("items") ? property(schema["items"], rest) : nullptr;
  if (step == "NAME")
    return schema.contains("additionalProperties") ? property(schema["additionalProperties"], rest) : nullptr;
  if (!schema.contains("properties") || !schema["properties"].contains(step)) return nullptr;
  return property(schema["properties"][step], rest);
}

}  // namespace

TEST_CASE("every configuration in conf/ loads without a word") {
  auto const files = example_files();
  REQUIRE(files.size() >= 6);
  // What examples want from outside.
  REQUIRE(::setenv("SESSION_SECRET", "secret", 1) == 0);
  for (auto const& file : files) {
    auto const got = load_file(file);
    INFO(file.string() << "\n" << described(got.problems));
    CHECK(got.value.has_value());
    CHECK(got.problems.empty());
  }
}

TEST_CASE("the reference has a row for every key, word for word") {
  auto const text = read(root / "docs/configuration.md");
  for (auto const& row : reference()) {
    INFO("docs/configuration.md lacks this line:\n" << row.markdown);
    CHECK(text.find(row.markdown + "\n") != std::string::npos);
  }
}

TEST_CASE("the reference has no row for a key that is none") {
  auto const rows = reference();
  std::istringstream lines{read(root / "docs/configuration.md")};
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| ---")) continue;
    inside = line.starts_with("| key | type |") || (inside && line.starts_with('|'));
    if (!inside || line.starts_with("| key")) continue;
    INFO(line);
    CHECK(std::any_of(rows.begin(), rows.end(), [&](auto const& row) { return row.markdown == line; }));
  }
}

TEST_CASE("conf/doorward.yaml shows every key, with its default where it has one") {
  auto const text = read(root / "conf/doorward.yaml");
  auto const tree = tree_of(text);
  for (auto const& row : reference()) {
    INFO(row.path);
    std::vector<node const*> values;
    collect(tree, row.path, values);
    if (values.empty()) {
      // Not available yet, or in a list that has files which are not here, so it stands in a comment; or it is the
      // other of two that exclude each other.
      CHECK((row.later || row.path.starts_with("server.listen[]") || row.path.starts_with("server.tls[]") ||
             row.path.find(".keys[]") != std::string::npos));
      CHECK(text.find(row.described->name + ":") != std::string::npos);
      continue;
    }
    auto const& fallback = row.described->fallback;
    bool const one_default = !fallback.empty() && !row.path.starts_with("routes[]");
    if (!one_default) continue;
    for (auto const* value : values) {
      auto const want = tree_of(fallback + "\n");
      CHECK(value->text == want.text);
      CHECK(value->items.size() == want.items.size());
    }
  }
}

TEST_CASE("the defaults that are shown are the defaults that hold") {
  auto const shown = load_file(root / "conf/doorward.yaml");
  REQUIRE(shown.value);
  auto const by_default = loaded_model(
      "upstreams: { identity: http://127.0.0.1:4000, app: http://127.0.0.1:3000 }\n"
      "identity: { upstream: identity }\n");
  auto a = json::parse(to_json(*shown.value));
  auto b = json::parse(to_json(by_default));
  a.erase("routes");
  b.erase("routes");
  CHECK(a == b);
}

TEST_CASE("the schema describes every key, and allows no other") {
  auto const schema = json::parse(json_schema());
  CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  CHECK(schema["additionalProperties"] == false);
  CHECK(schema["required"] == json{"identity", "upstreams", "routes"});
  for (auto const& row : reference()) {
    INFO(row.path);
    auto const* found = property(schema, row.path);
    REQUIRE(found != nullptr);
    auto const text = found->at("description").get<std::string>();
    CHECK(text.ends_with(row.described->doc));
    CHECK(text.starts_with("Not available yet. ") == row.described->later);
    if (!row.described->fallback.empty()) CHECK(found->contains("default"));
    if (row.described->value.type == description::kind::mapping) {
      CHECK(found->at("additionalProperties") == false);
    }
  }
}

TEST_CASE("the schema says what values look like") {
  auto const schema = json::parse(json_schema());
  auto const at = [&](char const* path) -> json const& { return *property(schema, path); };
  CHECK(at("server.timeouts.header")["pattern"] == R"(^[0-9]+(ms|s|m|h|d)$|\$\{)");
  CHECK(at("server.timeouts.header")["default"] == "10s");
  CHECK(at("server.limits.header_bytes")["pattern"] == R"(^[0-9]+(B|KiB|MiB|GiB)$|\$\{)");
  CHECK(at("server.limits.headers")["anyOf"][0] == json{{"type", "integer"}, {"minimum", 1}, {"maximum", 10'000}});
  CHECK(at("server.limits.headers")["default"] == 100);
  CHECK(at("log.access")["default"] == true);
  CHECK(at("session.cookie.same_site")["anyOf"][0]["enum"] == json{"lax", "strict", "none"});
  CHECK(at("session.encoding")["anyOf"][0]["enum"] == json{"hash", "json", "redisjson", "php", "spring"});
  CHECK(at("server.http2")["const"] == false);
  CHECK(at("server.tls[]")["required"] == json{"cert", "key"});
  CHECK(at("redis.sentinel")["maxProperties"] == 0);
  CHECK(at("identity")["required"] == json::array({"upstream"}));
  CHECK(at("routes")["minItems"] == 1);
  CHECK(at("routes[]")["required"] == json::array({"path"}));
  CHECK(at("routes[]")["oneOf"] == json::parse(R"([{"required": ["upstream"]}, {"required": ["respond"]}])"));
  CHECK(at("upstreams")["propertyNames"]["pattern"] == "^[A-Za-z0-9._-]{1,64}$");
}
