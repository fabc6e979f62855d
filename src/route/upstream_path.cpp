#include <algorithm>

#include "doorward/config/rewrite.hpp"
#include "doorward/http/target.hpp"
#include "doorward/route/route_table.hpp"

namespace doorward::route {

std::optional<std::string> upstream_path(config::route_config const& r, std::string_view path) {
  auto out = config::rewrite(r, path);
  if (!out || *out == path) return out;

  std::string path_scratch;
  std::string out_scratch;
  auto const judged = http::canonicalise(path, path_scratch);
  auto const sent = http::canonicalise(*out, out_scratch);
  if (!judged || !sent || sent->text() != *out) return std::nullopt;
  if (judged->plain() && sent->plain()) return out;

  std::vector<std::string> expected;
  for (auto const& reading : judged->readings()) {
    auto changed = config::rewrite(r, reading);
    if (!changed) return std::nullopt;
    expected.push_back(std::move(*changed));
  }
  for (auto const& reading : sent->readings())
    if (std::ranges::find(expected, reading) == expected.end()) return std::nullopt;
  return out;
}

}  // namespace doorward::route
