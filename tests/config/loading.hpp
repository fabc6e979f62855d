#pragma once

#include <fmt/format.h>

#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "config/source.hpp"
#include "doorward/config/load.hpp"

namespace doorward::config {

/// An environment that is the same everywhere.
inline std::optional<std::string> test_environment(std::string const& name) {
  static std::map<std::string, std::string> const values{
      {"HOST", "10.1.2.3"}, {"PORT", "8123"}, {"EMPTY", ""}, {"SECRET", "hunter2"}, {"BAD", "not a number"}};
  auto const found = values.find(name);
  return found == values.end() ? std::nullopt : std::optional<std::string>{found->second};
}

/// `text` with the sections a configuration cannot do without, where it lacks them.
inline std::string completed(std::string text) {
  auto const has = [&](std::string const& key) {
    return text.starts_with(key) || text.find("\n" + key) != std::string::npos;
  };
  if (!text.ends_with('\n')) text += '\n';
  if (!has("upstreams:")) text += "upstreams: { app: http://127.0.0.1:3000, id: http://127.0.0.1:4000 }\n";
  if (!has("identity:")) text += "identity: { upstream: id }\n";
  if (!has("routes:")) text += "routes: [{ path: /**, upstream: app }]\n";
  return text;
}

inline loaded load_completed(std::string const& text) {
  return load(completed(text), "test.yaml", test_environment);
}

inline std::string described(std::vector<problem> const& problems) {
  std::string out;
  for (auto const& p : problems) {
    out += fmt::format("{}:{} {} {}: {} [{}]\n", p.where.line, p.where.column,
                       p.severity == problem::level::error ? "error" : "warning", p.path, p.text, p.suggestion);
  }
  return out;
}

/// The model of a configuration that has to be fine.
inline model loaded_model(std::string const& text) {
  auto got = load_completed(text);
  INFO(text << described(got.problems));
  REQUIRE(got.value.has_value());
  return *std::move(got.value);
}

/// A configuration with one thing wrong; `@@` stands right before the place that must be named.
struct wrong {
  std::string yaml;
  std::string path;
  std::string text;
  std::string suggestion = {};
};

inline constexpr std::string_view here = "@@";

inline void check_one(wrong const& row, problem::level severity = problem::level::error) {
  auto yaml = row.yaml;
  auto const mark = yaml.find(here);
  REQUIRE(mark != std::string::npos);
  yaml.erase(mark, here.size());
  auto const where = position_of(yaml, mark);
  auto const got = load_completed(yaml);
  INFO(yaml << "\n" << described(got.problems));
  CHECK(got.value.has_value() == (severity == problem::level::warning));
  REQUIRE(got.problems.size() == 1);
  auto const& p = got.problems.front();
  CHECK(p.severity == severity);
  CHECK(p.where.line == where.line);
  CHECK(p.where.column == where.column);
  CHECK(p.path == row.path);
  CHECK(p.text == row.text);
  CHECK(p.suggestion == row.suggestion);
}

inline void check_each(std::vector<wrong> const& rows, problem::level severity = problem::level::error) {
  for (auto const& row : rows)
    check_one(row, severity);
}

}  // namespace doorward::config
