#include "doorward/config/load.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "config/description.hpp"
#include "config/places.hpp"
#include "config/reader.hpp"
#include "config/sections.hpp"
#include "config/source.hpp"
#include "config/yaml.hpp"

namespace doorward::config {
namespace {

std::optional<std::string> process_environment(std::string const& name) {
  char const* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

loaded unreadable(std::string why) {
  loaded out;
  out.problems.push_back({problem::level::error, {}, {}, std::move(why), {}});
  return out;
}

}  // namespace

loaded load(std::string_view text, std::string const& file, environment const& env) {
  loaded out;
  out.text = text;
  text = without_mark(text);

  problem_list problems;
  if (auto const root = parse_yaml(text, problems)) {
    document doc;
    places seen;
    reader r{{env, std::filesystem::path{file}.parent_path()}, problems, seen};
    if (root->type == node::kind::mapping) {
      auto const& described = file_description();
      described.read(described, r, *root, &doc);
      checker{doc, seen, problems}.run();
    } else {
      problems.error(root->where, {},
                     fmt::format("the file is a mapping of keys to values, not {}", name_of(root->type)));
    }
    if (!problems.any_error()) {
      doc.file = file;
      out.value = std::move(static_cast<model&>(doc));
    }
  }
  out.problems = problems.take();
  return out;
}

loaded load_file(std::filesystem::path const& file) {
  std::error_code ec;
  if (std::filesystem::is_directory(file, ec)) return unreadable("this is a folder, not a file");
  std::ifstream in{file, std::ios::binary};
  if (!in) return unreadable(fmt::format("cannot be read: {}", std::generic_category().message(errno)));
  // One byte more than allowed, so that the limit is noticed without reading all of what somebody points us at.
  std::string text(max_file_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return unreadable("cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  return load(text, file.string(), process_environment);
}

}  // namespace doorward::config
