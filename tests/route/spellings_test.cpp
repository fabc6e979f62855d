// Thousands of spellings of /admin/secret that set out from /public, against a table in which only the latter is open,
// judged by models of servers that normalise what they are sent. The models share no code with what they test.

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "doorward/route/route_table.hpp"

namespace {

using namespace doorward;
using strings = std::vector<std::string>;
using outcome = route::match::outcome;

// ---- four sloppy servers ----

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
        std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string merge_slashes(std::string text) {
  while (text.find("//") != std::string::npos)
    text = replace_all(text, "//", "/");
  return text;
}

std::string without_params(std::string_view text) {
  std::string out;
  bool inside = false;
  for (auto const c : text) {
    if (c == '/') inside = false;
    if (c == ';') inside = true;
    if (!inside) out += c;
  }
  return out;
}

// Resolves dot segments; one that climbs above the root is marked by "^" in front of all.
std::string resolve(std::string_view text) {
  strings kept;
  bool climbed = false;
  std::size_t from = 1;
  while (from <= text.size()) {
    auto const to = std::min(text.find('/', from), text.size());
    std::string const segment(text.substr(from, to - from));
    if (segment == "..") {
      climbed = climbed || kept.empty();
      if (!kept.empty()) kept.pop_back();
    } else if (segment != ".") {
      kept.push_back(segment);
    }
    from = to + 1;
  }
  std::string out = climbed ? "^" : "";
  for (auto const& segment : kept)
    out += "/" + segment;
  return out.empty() || out == "^" ? out + "/" : out;
}

// A file server: decodes, merges, resolves.
std::string file_server(std::string const& sent) {
  return resolve(merge_slashes(unescape(sent)));
}

// A servlet container of the tolerant years: params go first, then it decodes, takes '\' for '/', merges and resolves.
std::string servlet_container(std::string const& sent) {
  return resolve(merge_slashes(replace_all(unescape(without_params(sent)), "\\", "/")));
}

// A filter of a framework: decodes, then cuts at the first ';', then resolves, and lets empty segments be.
std::string framework_filter(std::string const& sent) {
  auto const decoded = unescape(sent);
  return resolve(decoded.substr(0, decoded.find(';')));
}

// A desktop web server: takes "//name" for an authority, decodes, drops params, takes '\' for '/', resolves, then
// merges.
std::string desktop_server(std::string const& sent) {
  auto path = sent;
  if (path.starts_with("//")) path.erase(0, std::min(path.find('/', 2), path.size()));
  if (path.empty()) path = "/";
  return merge_slashes(resolve(replace_all(without_params(unescape(path)), "\\", "/")));
}

strings seen_by_servers(std::string const& sent) {
  return {file_server(sent), servlet_container(sent), framework_filter(sent), desktop_server(sent)};
}

bool is_below(std::string_view path, std::string_view area) {
  if (path.starts_with('^')) path.remove_prefix(1);
  return path.starts_with(area) && (path.size() == area.size() || path[area.size()] == '/');
}

bool any_sees(std::string const& sent, std::string_view area) {
  return std::ranges::any_of(seen_by_servers(sent), [&](auto const& p) { return is_below(p, area); });
}

// ---- spellings ----

strings const separators{"/", "//", "%2f", "%2F", "%5c", "\\", ";x/", "/./", "%3B/", "/;/", "%252f"};
strings const ups{"..", "%2e%2e", ".%2e", "..;", "..;a=b", "%2E.%3b", "%252e%252e"};

strings spellings() {
  strings all;
  // One step up, in every way to write it.
  for (auto const& a : separators)
    for (auto const& up : ups)
      for (auto const& b : separators)
        for (auto const* c : {"/", "%2F", ";/"})
          all.push_back("/public" + a + up + b + "admin" + c + "secret");
  // Two steps up from further down, or past an empty segment.
  for (auto const* a : {"/", "//", "%2f", "%5c", ";x/"})
    for (auto const& up : ups)
      for (auto const& b : {"/", "//", "%2F", "\\", ";/"})
        for (auto const* c : {"/", "//", "%2f%2F", "%5C", "/./"}) {
          all.push_back(std::string("/public") + a + "x" + b + up + c + up + "/admin/secret");
          all.push_back(std::string("/public/x") + b + a + up + c + up + b + "admin/secret");
        }
  // Up beyond the root and back, and around.
  for (auto const& a : separators)
    for (auto const& up : ups) {
      all.push_back("/public" + a + up + a + up + a + "admin/secret");
      all.push_back("/public" + a + up + a + "admin" + a + "x" + a + up + a + "secret");
      all.push_back("/x" + a + up + a + "admin/secret");
      all.push_back("/public" + a + up + a + "public/secret");
      all.push_back("/public/x" + a + up + a + up + a + "public/secret");
    }
  // No step up at all.
  for (auto const& a : separators)
    for (auto const& b : separators) {
      all.push_back("/" + a + "admin" + b + "secret");
      all.push_back("/" + a + "public" + b + "admin/secret");
      all.push_back("/public" + a + "/" + b + "../admin/secret");
    }
  for (auto const* p : {"/%61dmin/secret", "/public/../%61%64min/secret", "/public/%2e%2e/admin%2fsecret"})
    all.emplace_back(p);
  return all;
}

config::route_config route_to(std::string path) {
  config::route_config r;
  r.path = std::move(path);
  return r;
}

struct judged {
  outcome result = outcome::no_route;
  std::size_t index = 0;
  std::string sent;
};

judged judge(route::route_table const& table, std::string const& raw) {
  std::string scratch;
  auto const path = http::canonicalise(raw, scratch);
  if (!path) return {outcome::ambiguous, 0, {}};
  auto const m = table.find({"GET", "localhost", *path});
  return {m.result, m.index, std::string(path->text())};
}

TEST_CASE("spellings, none of the protected path gets out through the public route") {
  auto const all = spellings();
  REQUIRE(all.size() > 4000);
  route::route_table const table({route_to("/public/**"), route_to("/admin/**")});

  std::size_t hostile = 0;
  std::size_t by_public = 0;
  std::size_t by_admin = 0;
  for (auto const& raw : all) {
    // What would have happened behind a proxy that compares what it was sent with "/public/".
    if (raw.starts_with("/public") && any_sees(raw, "/admin")) ++hostile;
    auto const j = judge(table, raw);
    if (j.result != outcome::found) continue;
    ++(j.index == 0 ? by_public : by_admin);
    // Every server sees the area that was judged: not merely "not admin".
    std::string const area = j.index == 0 ? "/public" : "/admin";
    for (auto const& seen : seen_by_servers(j.sent)) {
      if (is_below(seen, area) && !seen.starts_with('^')) continue;
      CAPTURE(raw, j.sent, seen);
      FAIL("a server sees another area than was judged");
    }
  }
  // The corpus means something: many would have got through, and both areas are still reached.
  CHECK(hostile > 2000);
  CHECK(by_public > 100);
  CHECK(by_admin > 20);
}

TEST_CASE("spellings, a catch-all behind a protected route lets none through either") {
  route::route_table const table({route_to("/admin/**"), route_to("/**")});
  std::size_t by_all = 0;
  for (auto const& raw : spellings()) {
    auto const j = judge(table, raw);
    if (j.result != outcome::found || j.index != 1) continue;
    ++by_all;
    if (any_sees(j.sent, "/admin")) {
      CAPTURE(raw, j.sent);
      FAIL("a server sees the protected path");
    }
  }
  CHECK(by_all > 100);
}

TEST_CASE("spellings, what is rewritten stays where it was put") {
  auto open = route_to("/public/**");
  open.rewrite = "/open/area";
  auto stripped = route_to("/public/**");
  stripped.strip_prefix = "/public";
  route::route_table const table({open});

  std::size_t rewritten = 0;
  std::size_t cut = 0;
  for (auto const& raw : spellings()) {
    auto const j = judge(table, raw);
    if (j.result != outcome::found) continue;
    if (auto const path = route::upstream_path(open, j.sent)) {
      ++rewritten;
      for (auto const& seen : seen_by_servers(*path)) {
        CAPTURE(raw, *path, seen);
        if (!is_below(seen, "/open/area") || seen.starts_with('^')) FAIL("a server sees a path outside");
      }
    }
    if (auto const path = route::upstream_path(stripped, j.sent)) {
      ++cut;
      for (auto const& seen : seen_by_servers(*path)) {
        CAPTURE(raw, *path, seen);
        if (seen.starts_with('^')) FAIL("a server sees a path that climbs");
      }
    }
  }
  CHECK(rewritten > 100);
  CHECK(cut > 100);
}

TEST_CASE("spellings, ordinary legacy links still go through") {
  route::route_table const table({route_to("/admin/**"), route_to("/app/**"), route_to("/**")});
  auto const link =
      GENERATE(as<std::string>{}, "/app//img/logo.png", "/app/img//logo.png", "/app/cart;jsessionid=0A1B2C",
               "/app/;jsessionid=0A1B2C", "/app/cart;jsessionid=0A1B2C.node1/", "/app/projects/group%2Fname",
               "/app/projects/group%2fname/-/tree", "/app/files/C%3A%5Ctemp", "/app/a;v=1/b;v=2/c",
               "/app/proxy/https:%2F%2Fexample.org%2Fa", "/app/x%3By");
  CAPTURE(link);
  auto const j = judge(table, link);
  CHECK(j.result == outcome::found);
  CHECK(j.index == 1);
  CHECK(j.sent.size() == link.size());
}

}  // namespace
