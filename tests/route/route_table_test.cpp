#include "doorward/route/route_table.hpp"

#include <random>

#include "catch.hpp"
#include "doorward/http/host.hpp"
#include "doorward/http/path_pattern.hpp"

namespace {

using namespace doorward;
using outcome = route::match::outcome;
using strings = std::vector<std::string>;

struct spec {
  std::string path;
  strings methods = {};
  std::string host = {};
};

std::vector<config::route_config> routes(std::vector<spec> const& specs) {
  std::vector<config::route_config> all;
  for (auto const& s : specs) {
    REQUIRE_FALSE(http::path_pattern_problem(s.path));
    auto& r = all.emplace_back();
    r.path = s.path;
    r.methods = s.methods;
    r.host = s.host;
  }
  return all;
}

// "3" for the route of that index, "404", "405", "400".
std::string find(route::route_table const& table, std::string_view path, std::string_view method = "GET",
                 std::string_view host = "localhost") {
  std::string scratch;
  auto const canonical = http::canonicalise(path, scratch);
  if (!canonical) return "malformed";
  auto const found = table.find({method, host, *canonical});
  switch (found.result) {
    case outcome::found: return std::to_string(found.index);
    case outcome::no_route: return "404";
    case outcome::method_not_allowed: return "405";
    case outcome::ambiguous: return "400";
  }
  return "?";
}

TEST_CASE("routes, the first in file order wins") {
  route::route_table const table(routes({
      {"/admin/login"},  // 0
      {"/admin/**"},     // 1
      {"/*/help"},       // 2
      {"/shop/help"},    // 3: never reached
      {"/shop/*"},       // 4
      {"/shop/**"},      // 5
      {"/a/*/c"},        // 6
      {"/a/b/**"},       // 7
      {"/a/**"},         // 8
      {"/exact"},        // 9
      {"/exact/"},       // 10
      {"/"},             // 11
      {"/admin/late"},   // 12: never reached
  }));
  CHECK(table.size() == 13);
  struct row {
    char const* path;
    char const* found;
  };
  auto const r = GENERATE(values<row>({
      {"/admin", "1"},       {"/admin/", "1"},
      {"/admin/login", "0"}, {"/admin/login/", "1"},
      {"/admin/late", "1"},  {"/admin/help", "1"},
      {"/admins", "404"},    {"/shop/help", "2"},
      {"/shop/x", "4"},      {"/shop/x/", "5"},
      {"/shop/x/y", "5"},    {"/shop", "5"},
      {"/shop/", "5"},       {"/x/help", "2"},
      {"/x/help/", "404"},   {"/a/b/c", "6"},
      {"/a/b/d", "7"},       {"/a/b", "7"},
      {"/a/x/c", "6"},       {"/a/x/c/d", "8"},
      {"/a/", "8"},          {"/exact", "9"},
      {"/exact/", "10"},     {"/exact/x", "404"},
      {"/", "11"},           {"/nothing", "404"},
      {"/a%2e", "404"},      {"/%61dmin", "1"},
      {"/x/../admin", "1"},  {"/admin/../shop/x", "4"},
      {"/Admin", "404"},
  }));
  CAPTURE(r.path);
  CHECK(find(table, r.path) == r.found);
}

TEST_CASE("routes, none at all") {
  route::route_table const table({});
  CHECK(table.size() == 0);
  CHECK(find(table, "/") == "404");
  CHECK(find(table, "/a//b;c") == "404");
}

TEST_CASE("routes, hosts") {
  route::route_table const table(routes({
      {"/a", {}, "app.example.com"},        // 0
      {"/a", {}, "*.example.com"},          // 1
      {"/**", {}, "*.eu.example.com"},      // 2
      {"/b", {}, "*.com"},                  // 3
      {"/a", {}, ""},                       // 4
      {"/b", {}, "app.example.com"},        // 5
      {"/b", {}, "[::1]"},                  // 6
      {"/c", {"POST"}, "app.example.com"},  // 7
      {"/c", {"GET"}, "*.example.com"},     // 8
  }));
  struct row {
    char const* host;
    char const* path;
    char const* found;
  };
  auto const r = GENERATE(values<row>({
      {"app.example.com", "/a", "0"},
      {"x.example.com", "/a", "1"},
      {"x.y.example.com", "/a", "1"},
      {"example.com", "/a", "4"},
      {"badexample.com", "/a", "4"},
      {"x.eu.example.com", "/a", "1"},
      {"x.eu.example.com", "/z", "2"},
      {"eu.example.com", "/z", "404"},
      {"app.example.com", "/b", "3"},
      {"com", "/b", "404"},
      {"[::1]", "/b", "6"},
      {"", "/a", "4"},
      {"", "/b", "404"},
      {"app.example.com", "/c", "8"},
      {"x.example.com", "/c", "8"},
      {"example.com", "/c", "404"},
  }));
  CAPTURE(r.host, r.path);
  CHECK(find(table, r.path, "GET", r.host) == r.found);
}

TEST_CASE("routes, methods") {
  route::route_table const table(routes({
      {"/a", {"GET"}},             // 0
      {"/a", {"POST", "PUT"}},     // 1
      {"/a/**", {"DELETE"}},       // 2
      {"/b", {"POST"}},            // 3
      {"/**", {"OPTIONS"}},        // 4
      {"/c"},                      // 5
      {"/a", {"PURGE"}, "other"},  // 6
  }));
  struct row {
    char const* method;
    char const* path;
    char const* found;
  };
  auto const r = GENERATE(values<row>({
      {"GET", "/a", "0"},
      {"HEAD", "/a", "0"},
      {"POST", "/a", "1"},
      {"PUT", "/a", "1"},
      {"DELETE", "/a", "2"},  // a later route still wins over 405
      {"OPTIONS", "/a", "4"},
      {"PATCH", "/a", "405"},
      {"get", "/a", "405"},
      {"PURGE", "/a", "405"},
      {"HEAD", "/b", "405"},
      {"GET", "/b", "405"},
      {"POST", "/b", "3"},
      {"GET", "/x", "405"},
      {"PATCH", "/c", "5"},
      {"OPTIONS", "/c", "4"},
  }));
  CAPTURE(r.method, r.path);
  CHECK(find(table, r.path, r.method) == r.found);
}

TEST_CASE("routes, the methods of a path") {
  route::route_table const table(routes({
      {"/a", {"PUT", "GET"}},
      {"/a", {"GET", "POST"}},
      {"/*", {"DELETE"}},
      {"/b", {"POST"}},
      {"/a", {"PURGE"}, "other"},
  }));
  auto const allowed = [&](std::string_view path, std::string_view host) {
    std::string scratch;
    return table.allowed_methods({"X", host, *http::canonicalise(path, scratch)});
  };
  CHECK(allowed("/a", "localhost") == strings{"DELETE", "GET", "HEAD", "POST", "PUT"});
  CHECK(allowed("/a", "other") == strings{"DELETE", "GET", "HEAD", "POST", "PURGE", "PUT"});
  CHECK(allowed("/b", "localhost") == strings{"DELETE", "POST"});
  CHECK(allowed("/b/c", "localhost").empty());
}

TEST_CASE("routes, every reading has to match the same one") {
  route::route_table const table(routes({
      {"/public/**"},        // 0
      {"/admin/**"},         // 1
      {"/projects/**"},      // 2
      {"/m/a", {"POST"}},    // 3
      {"/m/b", {"PUT"}},     // 4
      {"/posts", {"POST"}},  // 5
      {"/@me/**"},           // 6
      {"/files/*"},          // 7
  }));
  struct row {
    char const* path;
    char const* found;
  };
  auto const r = GENERATE(values<row>({
      // legacy links go through
      {"/public//x", "0"},
      {"/public//", "0"},
      {"/public/", "0"},
      {"/public/shop;jsessionid=1", "0"},
      {"/public/;jsessionid=1", "0"},
      {"/public/a%2Fb", "0"},
      {"/public/a%5Cb", "0"},
      {"/public/a%3Bb", "0"},
      {"/public/cars;colour=red/year;y=2000/x", "0"},
      {"/projects/group%2fname/issues", "2"},
      {"/public/a%2F..%2Fb", "0"},
      {"/public/x/..;/b", "0"},
      // nothing at all matches, in any reading
      {"/x//y", "404"},
      {"/x;y", "404"},
      {"/x%2f..%2fy", "404"},
      // hidden ways into another route
      {"/public/..;/admin", "400"},
      {"/public/..;/admin/x", "400"},
      {"/public/..;a=b/admin", "400"},
      {"/public/%2e%2e%2fadmin", "400"},
      {"/public/..%2Fadmin/x", "400"},
      {"/public/..%5cadmin", "400"},
      {"/public%2f..%2fadmin", "400"},
      {"/public/..%3b/admin", "400"},
      {"//admin", "400"},
      {"//admin/x", "400"},
      {"/%2Fadmin", "400"},
      {"/%5Cadmin", "400"},
      {"//public/admin/x", "400"},
      {"//x/admin", "400"},
      {"/x/..//admin", "400"},
      {"/public/x%2f%2f..%2f..%2f..%2fadmin", "400"},
      {"/public/x//..;/..;/..;/admin", "400"},
      {"/public;/x", "400"},
      {"/public;x", "400"},
      {"/admin;x", "400"},
      {"/x/%2e%2e%2fadmin", "400"},
      // hidden ways above the root
      {"/public/..;/..;/public/x", "400"},
      {"/public/..%2f..%2fpublic/x", "400"},
      // what a ".." takes is gone before it is forwarded, unless servers differ on what that is
      {"/public//../admin", "400"},
      {"/public/a;b/../x", "400"},
      {"/public/a/../x", "0"},
      {"/public/../admin", "1"},
      {"/public/..//admin", "400"},
      // 405 in one reading, 404 in another; 405 in both
      {"/m/a;x", "400"},
      {"/posts;x", "400"},
      // a byte that may be escaped or not
      {"/@me/x", "6"},
      {"/%40me/x", "400"},
      {"/public/%40me", "0"},
      {"/public/..;/%40me", "400"},
      // one segment or two
      {"/files/a", "7"},
      {"/files/a%20b", "7"},
      {"/files/a%2Fb", "400"},
      {"/files/a;v=1", "7"},
      {"/files/;v=1", "400"},
      {"/files/a//", "404"},
  }));
  CAPTURE(r.path);
  CHECK(find(table, r.path) == r.found);
}

TEST_CASE("routes, one for everything takes every reading but the unreadable") {
  route::route_table const table(routes({{"/**"}}));
  CHECK(find(table, "//x//..y;z%2Fa") == "0");
  CHECK(find(table, "/x//..y;z%2Fa%5Cb") == "0");
  CHECK(find(table, "//x//..y;z%2Fa%5Cb") == "400");  // more ways to read it than are gone through
  CHECK(find(table, "/a/..;/b") == "0");
  CHECK(find(table, "/..;/b") == "400");
  CHECK(find(table, "/..%2fb") == "400");
  CHECK(find(table, "/a//..;/b") == "400");
}

// What the trie finds, against a list gone through from the front.
TEST_CASE("routes, a trie agrees with a list") {
  std::minstd_rand random(20240607);
  auto const below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  auto const pick = [&](strings const& from) { return from[below(from.size())]; };
  strings const segments{"a", "b", "c", "*", "*", "**"};
  strings const names{"a", "b", "c", "d", ""};
  strings const hosts{"", "", "x.example", "*.example", "*.y.example"};
  strings const asked_hosts{"x.example", "y.example", "z.y.example", "example", "elsewhere"};
  strings const verbs{"GET", "HEAD", "POST", "PUT"};

  for (int round = 0; round < 200; ++round) {
    std::vector<config::route_config> all(1 + below(30));
    for (auto& r : all) {
      for (std::size_t n = 1 + below(3); n > 0 && !r.path.ends_with("**"); --n)
        r.path += "/" + pick(segments);
      if (!r.path.ends_with("**") && below(4) == 0) r.path += "/";
      r.host = pick(hosts);
      for (std::size_t n = below(3); n > 0; --n)
        r.methods.push_back(pick(verbs));
    }
    route::route_table const table(all);
    for (int ask = 0; ask < 100; ++ask) {
      std::string path;
      for (std::size_t n = 1 + below(4); n > 0; --n)
        path += "/" + pick(names);
      auto const host = pick(asked_hosts);
      auto const method = pick(verbs);

      // Only this reading; what several do to each other is another test's business.
      std::string expected = "404";
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (!http::host_matches(all[i].host, host) || !http::path_pattern(all[i].path).matches(path)) continue;
        auto const lists = [&](std::string_view m) {
          return std::ranges::find(all[i].methods, m) != all[i].methods.end();
        };
        if (all[i].methods.empty() || lists(method) || (method == "HEAD" && lists("GET"))) {
          expected = std::to_string(i);
          break;
        }
        expected = "405";
      }
      if (path.find("//") != std::string::npos) continue;
      CAPTURE(path, host, method);
      REQUIRE(find(table, path, method, host) == expected);
    }
  }
}

}  // namespace
