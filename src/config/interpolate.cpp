#include "config/interpolate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <system_error>

namespace doorward::config {
namespace {

bool is_name(std::string_view text) {
  auto const letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  if (text.empty() || !letter(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

parsed<std::string> read_secret(std::string_view written, std::filesystem::path const& base) {
  if (written.empty()) return complaint{"`${file:}` names no file"};
  auto read = read_file(written, base / std::filesystem::path{written}, max_secret_file_bytes);
  if (std::holds_alternative<complaint>(read)) return read;
  auto& content = *std::get_if<std::string>(&read);
  if (content.ends_with("\r\n")) {
    content.resize(content.size() - 2);
  } else if (content.ends_with('\n')) {
    content.pop_back();
  }
  return read;
}

// `inside` is what stands between `${` and `}`.
parsed<std::string> value_of(std::string_view inside, interpolation_source const& from) {
  constexpr std::string_view file_prefix = "file:";
  if (inside.starts_with(file_prefix)) return read_secret(inside.substr(file_prefix.size()), from.base);
  auto const colon = inside.find(":-");
  auto const name = inside.substr(0, colon);
  if (!is_name(name)) {
    return complaint{"`${...}` holds a variable's name, `NAME:-default` or `file:PATH`", "write `$$` for a dollar"};
  }
  auto value = from.env(std::string{name});
  if (colon != std::string_view::npos) {
    if (value && !value->empty()) return *std::move(value);
    return std::string{inside.substr(colon + 2)};
  }
  if (value) return *std::move(value);
  return complaint{fmt::format("the environment variable {} is not set", name),
                   fmt::format("set it, or give a default: `${{{}:-...}}`", name)};
}

}  // namespace

parsed<std::string> read_file(std::string_view name, std::filesystem::path const& file, std::size_t most) {
  std::error_code ec;
  if (std::filesystem::is_directory(file, ec)) {
    return complaint{fmt::format("`{}` is a folder, not a file", name)};
  }
  std::ifstream in{file, std::ios::binary};
  if (!in) {
    return complaint{fmt::format("the file `{}` cannot be read: {}", name, std::generic_category().message(errno))};
  }
  std::string content(most + 1, '\0');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(in.gcount()));
  if (content.size() > most) {
    return complaint{fmt::format("the file `{}` is larger than {} KiB", name, most / 1024)};
  }
  return content;
}

parsed<interpolated> interpolate(std::string_view raw, interpolation_source const& from) {
  interpolated out;
  for (std::size_t i = 0; i < raw.size();) {
    auto const dollar = std::min(raw.find('$', i), raw.size());
    out.text += raw.substr(i, dollar - i);
    if (dollar == raw.size()) break;
    char const next = dollar + 1 < raw.size() ? raw[dollar + 1] : '\0';
    if (next == '$') {
      out.text += '$';
      i = dollar + 2;
      continue;
    }
    if (next != '{') return complaint{"a `$` alone means nothing", "write `${NAME}`, or `$$` for a dollar", dollar};
    auto const end = raw.find('}', dollar);
    if (end == std::string_view::npos) return complaint{"this `${` is not closed", {}, dollar};
    auto const inside = raw.substr(dollar + 2, end - dollar - 2);
    if (inside.find("${") != std::string_view::npos) return complaint{"`${...}` cannot be nested", {}, dollar};
    auto value = value_of(inside, from);
    if (auto* wrong = std::get_if<complaint>(&value)) {
      wrong->offset = dollar;
      return std::move(*wrong);
    }
    out.text += *std::get_if<std::string>(&value);
    out.changed = true;
    i = end + 1;
  }
  return out;
}

}  // namespace doorward::config
