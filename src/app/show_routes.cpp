#include <fmt/format.h>

#include <ostream>

#include "app/commands.hpp"
#include "doorward/app/cli.hpp"
#include "doorward/config/words.hpp"
#include "doorward/runtime/snapshot.hpp"

namespace doorward::app {
namespace {

std::string join(std::vector<std::string> const& items, std::string_view separator) {
  return fmt::format("{}", fmt::join(items, separator));
}

std::string allow_text(config::route_config const& r) {
  std::vector<std::string> parts;
  if (!r.allow.roles.empty()) parts.push_back("role " + join(r.allow.roles, "|"));
  for (auto const& [field, values] : r.allow.fields)
    parts.push_back(field + '=' + join(values, "|"));
  if (r.require.acr > 0) parts.push_back(fmt::format("acr {}", r.require.acr));
  if (r.require.max_age.count() > 0) parts.push_back(fmt::format("login {}s ago at most", r.require.max_age.count()));
  return parts.empty() ? "-" : join(parts, ", ");
}

std::string target_text(config::route_config const& r) {
  if (r.respond) return fmt::format("respond {}", *r.respond);
  auto text = r.upstream;
  if (!r.strip_prefix.empty()) text += " (without " + r.strip_prefix + ')';
  if (!r.rewrite.empty()) text += " (as " + r.rewrite + ')';
  return text;
}

std::string own_target_text(runtime::route_target to, config::model const& m) {
  if (to == runtime::route_target::login) return m.identity.upstream;
  return to == runtime::route_target::unclaimed ? "nothing: 404" : "doorward itself";
}

}  // namespace

int show_routes(config::model const& m, std::ostream& out) {
  std::vector<std::array<std::string, 8>> rows{{"id", "path", "host", "methods", "auth", "allow", "to", "line"}};
  for (auto const& own : runtime::own_routes(m.identity)) {
    std::vector<std::string> methods;
    for (auto const method : own.methods)
      methods.emplace_back(http::to_string(method));
    rows.push_back({own.config.id, own.config.path, "*", methods.empty() ? "*" : join(methods, ","),
                    std::string(config::word_for(own.config.auth)), "-", own_target_text(own.to, m), "-"});
  }
  for (auto const& r : m.routes)
    rows.push_back({r.id, r.path, r.host.empty() ? "*" : r.host, r.methods.empty() ? "*" : join(r.methods, ","),
                    std::string(config::word_for(r.auth)), allow_text(r), target_text(r),
                    fmt::format("{}:{}", m.file, r.where.line)});

  std::array<std::size_t, 8> widths{};
  for (auto const& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  for (auto const& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += fmt::format("{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
  return done;
}

}  // namespace doorward::app
