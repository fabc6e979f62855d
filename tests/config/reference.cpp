#include "reference.hpp"

#include <fmt/format.h>

#include "config/scalars.hpp"
#include "config/suggest.hpp"

namespace doorward::config {
namespace {

std::string type_of(description const& d) {
  using kind = description::kind;
  auto const ms = [](double v) { return duration_text(milliseconds{static_cast<std::int64_t>(v)}); };
  auto const bytes = [](double v) { return size_text(static_cast<std::uint64_t>(v)); };
  switch (d.type) {
    case kind::boolean: return "`true` or `false`";
    case kind::integer:
      return *d.least == *d.most ? fmt::format("{:.0f}", *d.least)
                                 : fmt::format("number, {:.0f} to {:.0f}", *d.least, *d.most);
    case kind::number: return fmt::format("number, {} to {}", *d.least, *d.most);
    case kind::duration: return fmt::format("duration, {} to {}", ms(*d.least), ms(*d.most));
    case kind::size: return fmt::format("size, {} to {}", bytes(*d.least), bytes(*d.most));
    case kind::choice: return enumerate(d.choices, "or");
    case kind::text:
    case kind::mapping: return d.name;
    case kind::list: return fmt::format("list: {}", type_of(d.parts[0]));
    case kind::dictionary: return fmt::format("names, each with: {}", type_of(d.parts[0]));
    case kind::either: return fmt::format("{}; or {}", type_of(d.parts[0]), type_of(d.parts[1]));
  }
  return {};
}

std::string default_of(key const& k, bool later) {
  if (!k.otherwise.empty()) return k.otherwise;
  if (!k.fallback.empty()) return fmt::format("`{}`", k.fallback);
  if (k.needed && !later) return "required";
  return "";
}

void collect(description const& d, std::string const& base, bool later, std::vector<reference_row>& rows) {
  for (auto const& k : d.keys) {
    reference_row row;
    row.path = base.empty() ? k.name : base + "." + k.name;
    row.described = &k;
    row.later = later || k.later;
    auto meaning = k.doc;
    if (row.later) meaning += " **Not available yet.**";
    if (!k.value.later_choices.empty()) {
      meaning += fmt::format(" {}: **not available yet.**", enumerate(k.value.later_choices, "and"));
    }
    row.markdown =
        fmt::format("| `{}` | {} | {} | {} |", row.path, type_of(k.value), default_of(k, row.later), meaning);
    auto const path = row.path;
    auto const below = row.later;
    rows.push_back(std::move(row));
    collect(k.value, path, below, rows);
  }
  for (auto const& part : d.parts) {
    auto const step = d.type == description::kind::list ? "[]" : d.type == description::kind::dictionary ? ".NAME" : "";
    collect(part, base + step, later, rows);
  }
}

}  // namespace

std::vector<reference_row> reference() {
  std::vector<reference_row> rows;
  collect(file_description(), {}, false, rows);
  return rows;
}

}  // namespace doorward::config
