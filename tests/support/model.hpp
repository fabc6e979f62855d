#pragma once

#include <string>
#include <string_view>

#include "catch.hpp"
#include "doorward/config/load.hpp"

namespace doorward::test {

/// What every configuration needs, except routes.
inline std::string const smallest = R"(
redis: { url: "redis://127.0.0.1:6379" }
upstreams: { app: http://127.0.0.1:3000, identity: http://127.0.0.1:4000 }
identity: { upstream: identity }
)";

/// The model of a configuration that has to be good. The environment is empty.
inline config::model model_of(std::string_view yaml) {
  auto got = config::load(yaml, "test.yaml", [](std::string const&) { return std::nullopt; });
  std::string problems;
  for (auto const& p : got.problems)
    problems += p.path + ": " + p.text + '\n';
  INFO(yaml << problems);
  REQUIRE(got.value.has_value());
  return *std::move(got.value);
}

}  // namespace doorward::test
