#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/config/model.hpp"

namespace doorward::config {

/// One thing that is wrong with a configuration, or worth a thought (`warning`).
struct problem {
  enum class level { error, warning };
  level severity = level::error;
  position where;
  std::string path;        ///< "routes[2].auth"
  std::string text;        ///< what is wrong, in one sentence
  std::string suggestion;  ///< "did you mean `required`?"; may be empty
};

/// What came of reading a configuration. `value` is there when no problem is an error.
struct loaded {
  std::optional<model> value;
  std::vector<problem> problems;  ///< in file order
  std::string text;               ///< what was read, for `print`
};

/// Looks up an environment variable; nullopt when it is not set.
using environment = std::function<std::optional<std::string>(std::string const&)>;

/// Reads YAML text. Never throws on bad input: everything wrong with it is in `problems`, all at once.
/// `file` names the text in messages and is the base of relative paths.
[[nodiscard]] loaded load(std::string_view text, std::string const& file, environment const& env);

/// The same for a file, with the process's environment. A file that cannot be read is a problem too.
[[nodiscard]] loaded load_file(std::filesystem::path const& file);

/// What came of reading the files of `server.tls` and `server.client_certificates` again.
struct reread {
  std::optional<server_config> value;  ///< when something has changed, and all of it is sound
  std::string error;                   ///< else what is wrong, if anything is
};
/// Files that were written less than `settled` ago may be half written; then nothing is taken up.
[[nodiscard]] reread reread_certificates(server_config const& now, milliseconds settled);

/// Writes problems as `file:line:col: error: path: text`, the source line, a caret and the suggestion.
void print(std::ostream& out, std::vector<problem> const& problems, std::string_view text, std::string const& file);

/// The JSON Schema (draft 2020-12) of the file, from the description the parser itself uses.
[[nodiscard]] std::string json_schema();

/// The effective configuration as JSON, secrets redacted: what the admin listener shows under /config.
[[nodiscard]] std::string to_json(model const& m);

}  // namespace doorward::config
