#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "config/description.hpp"
#include "config/scalars.hpp"
#include "doorward/config/load.hpp"

namespace doorward::config {
namespace {

using json = nlohmann::ordered_json;

// What a scalar may be besides itself: its text with a `${...}` in it.
json interpolated() {
  return {{"$ref", "#/$defs/interpolated"}};
}
std::string or_interpolated(std::string const& pattern) {
  return fmt::format(R"({}|\$\{{)", pattern);
}

json schema_of(description const& d);

json with_interpolation(json value) {
  return {{"anyOf", json::array({std::move(value), interpolated()})}};
}

// A whole number stays one in JSON ("10000.0" would do for a validator, but nobody reads it gladly).
json bound(description const& d, double value) {
  if (d.type == description::kind::integer) return static_cast<std::int64_t>(value);
  return value;
}

json text_schema(description const& d) {
  // Free text may look like a number to YAML; where there is a pattern, nothing that does would match it.
  if (d.pattern.empty()) return {{"type", {"string", "number", "boolean"}}};
  json out{{"type", "string"}, {"pattern", or_interpolated(d.pattern)}};
  return out;
}

json mapping_schema(description const& d) {
  json out{{"type", {"object", "null"}}, {"additionalProperties", false}};
  auto& properties = out["properties"] = json::object();
  json required = json::array();
  for (auto const& k : d.keys) {
    if (k.needed) required.push_back(k.name);
    auto& property = properties[k.name] = json::object();
    property["description"] = (k.later ? "Not available yet. " : "") + k.doc;
    auto const shape = schema_of(k.value);
    for (auto const& [name, value] : shape.items())
      property[name] = value;
    if (k.later) {
      // Only what says that it is off.
      switch (k.value.type) {
        case description::kind::mapping: property["maxProperties"] = 0; break;
        case description::kind::list: property["maxItems"] = 0; break;
        default: {
          auto off = json::parse(k.fallback);
          property = {{"description", property["description"]}, {"const", std::move(off)}};
        }
      }
    }
    if (k.fallback.empty()) continue;
    auto const fallback = json::parse(k.fallback, nullptr, false);
    property["default"] = fallback.is_discarded() ? json(k.fallback) : fallback;
  }
  if (!required.empty()) {
    // A mapping that needs a key cannot be left empty either.
    out["type"] = "object";
    out["required"] = std::move(required);
  }
  for (auto const& name : d.one_of)
    out["oneOf"].push_back({{"required", {name}}});
  return out;
}

json schema_of(description const& d) {
  using kind = description::kind;
  switch (d.type) {
    case kind::boolean: return with_interpolation({{"type", "boolean"}});
    case kind::integer:
    case kind::number: {
      json out{{"type", d.type == kind::integer ? "integer" : "number"}};
      if (d.least) out["minimum"] = bound(d, *d.least);
      if (d.most) out["maximum"] = bound(d, *d.most);
      return with_interpolation(std::move(out));
    }
    case kind::text: return text_schema(d);
    case kind::duration: return {{"type", "string"}, {"pattern", or_interpolated(duration_pattern)}};
    case kind::size: return {{"type", "string"}, {"pattern", or_interpolated(size_pattern)}};
    case kind::choice: return with_interpolation({{"enum", d.choices}});
    case kind::mapping: return mapping_schema(d);
    case kind::list: {
      json out{{"type", {"array", "null"}}, {"items", schema_of(d.parts[0])}};
      if (d.least == 1) out["minItems"] = 1;
      return out;
    }
    case kind::dictionary:
      return {{"type", {"object", "null"}},
              {"propertyNames", {{"pattern", d.pattern}}},
              {"additionalProperties", schema_of(d.parts[0])}};
    case kind::either: {
      json out{{"anyOf", json::array()}};
      for (auto const& p : d.parts)
        out["anyOf"].push_back(schema_of(p));
      return out;
    }
  }
  return json::object();
}

}  // namespace

std::string json_schema() {
  json out{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
           {"title", "doorward's configuration"},
           {"$defs",
            {{"interpolated",
              {{"type", "string"},
               {"pattern", R"(\$\{)"},
               {"description", "A value from outside: ${NAME}, ${NAME:-default} or ${file:/path}."}}}}}};
  auto const file = schema_of(file_description());
  for (auto const& [name, value] : file.items())
    out[name] = value;
  return out.dump(2);
}

}  // namespace doorward::config
