#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "config/complaint.hpp"
#include "doorward/config/load.hpp"

namespace doorward::config {

struct interpolated {
  std::string text;
  bool changed = false;  ///< something came from outside the file: messages must not show it
};

/// Where `${NAME}` and `${file:PATH}` take their values from.
struct interpolation_source {
  environment env;
  std::filesystem::path base;  ///< of relative paths: the folder of the configuration file
};

inline constexpr std::size_t max_secret_file_bytes = 64 * 1024;
/// All that an operating system believes is a quarter of this.
inline constexpr std::size_t max_certificate_file_bytes = 1024 * 1024;

/// The content of `file`, which the configuration calls `name`; at most `most` bytes.
[[nodiscard]] parsed<std::string> read_file(std::string_view name, std::filesystem::path const& file, std::size_t most);

/// Replaces `${NAME}`, `${NAME:-default}` (taken when NAME is unset or empty), `${file:PATH}` (one line end at the end
/// is dropped) and `$$`. Any other `$` is an error, because `$NAME` left as it stands is nobody's password.
[[nodiscard]] parsed<interpolated> interpolate(std::string_view raw, interpolation_source const& from);

}  // namespace doorward::config
