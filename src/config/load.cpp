#include "doorward/config/load.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

#include "config/description.hpp"
#include "config/places.hpp"
#include "config/reader.hpp"
#include "config/sections.hpp"
#include "config/source.hpp"
#include "config/yaml.hpp"
#include "doorward/base/encoding.hpp"

namespace doorward::config {
namespace {

std::optional<std::string> process_environment(std::string const& name) {
  char const* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

// "is a directory", as the system says it, but in the tone of the other messages.
loaded unreadable(int error) {
  auto why = std::generic_category().message(error);
  if (!why.empty()) why.front() = to_lower(why.front());
  loaded out;
  out.problems.push_back({problem::level::error, {}, {}, std::move(why), {}});
  return out;
}

struct closed_at_end {
  void operator()(std::FILE* f) const noexcept { std::fclose(f); }
};

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
  // Not a stream of the standard library: those do not say why they fail.
  std::unique_ptr<std::FILE, closed_at_end> const in{std::fopen(file.c_str(), "rb")};
  if (!in) return unreadable(errno);
  // One byte more than allowed, so that the limit is noticed without reading all of what somebody points us at.
  std::string text(max_file_bytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), in.get()));
  if (std::ferror(in.get()) != 0) return unreadable(errno);
  return load(text, file.string(), process_environment);
}

}  // namespace doorward::config
