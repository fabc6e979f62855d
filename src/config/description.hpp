#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.hpp"

namespace doorward::config {

class reader;
struct key;

/// What may stand at one place of the file. One tree of these describes the whole file; the loader reads by it, the
/// JSON Schema is written from it, and the tests hold the reference and conf/doorward.yaml against it.
struct description {
  enum class kind {
    boolean,
    integer,  ///< within `least` and `most`
    number,   ///< within `least` and `most`
    text,     ///< `pattern`, if there is one
    duration,
    size,
    choice,      ///< one of `choices`
    mapping,     ///< `keys`
    list,        ///< of `parts[0]`
    dictionary,  ///< any names, each with a `parts[0]`
    either,      ///< any of `parts`
  };

  kind type = kind::text;
  std::string name;     ///< "duration", "listen address": in messages and in the reference
  std::string pattern;  ///< of ECMA 262, for the schema; the parser may be stricter
  std::optional<double> least;
  std::optional<double> most;
  std::vector<std::string> choices;
  std::vector<std::string> later_choices;  ///< known, but not available yet
  std::vector<key> keys;
  std::vector<std::string> one_of;  ///< mapping: exactly one of these keys is given
  std::vector<description> parts;

  /// Reads a node into the value `into` points to, whose type is the one of `typed<T>`.
  std::function<void(description const& self, reader& r, node const& n, void* into)> read;
};

/// One key of a mapping.
struct key {
  std::string name;
  description value;
  std::string fallback;   ///< the default as YAML; empty when there is none
  std::string otherwise;  ///< what holds without the key, in words, where `fallback` cannot say it
  std::string doc;        ///< a sentence or two
  bool needed = false;
  bool later = false;  ///< anything but `fallback` (or emptiness) is not available yet

  /// The value's place inside the struct the mapping is read into.
  std::function<void*(void* owner)> place;
};

/// The whole file. Built once.
[[nodiscard]] description const& file_description();

}  // namespace doorward::config
