// A request-target: one canonical form, which is its own canonical form, and readings that are canonical too.
#include <string>

#include "doorward/http/target.hpp"
#include "require.hpp"

using namespace doorward;

int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const bytes = text(data, size);
  auto const parts = http::split_target(bytes);
  require(parts.path.find('?') == parts.path.npos, "a path has no query");

  std::string scratch;
  if (auto const path = http::canonicalise(parts.path, scratch)) {
    auto const t = path->text();
    require(t.starts_with('/'), "a path is absolute");
    require(t.find("/../") == t.npos && t.find("/./") == t.npos, "no dot segment is left");
    require(!t.ends_with("/..") && !t.ends_with("/."), "none at the end either");
    std::string again;
    auto const twice = http::canonicalise(t, again);
    require(twice && twice->text() == t, "canonical is canonical");
    auto const readings = path->readings();
    require(!path->plain() || readings.empty(), "a plain path has one reading");
    require(readings.size() <= 64, "readings are few");
  }

  std::string value;
  if (http::query_parameter(parts.query, "next", value) && http::is_local_return_path(value)) {
    require(value.starts_with('/') && !value.starts_with("//"), "a return path stays on this origin");
    require(value.find_first_of("\\\r\n\t") == value.npos, "and holds nothing a browser reads as a slash, or drops");
  }
  return 0;
}
