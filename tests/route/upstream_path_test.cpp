#include "catch.hpp"
#include "doorward/route/route_table.hpp"

namespace {

using namespace doorward;

struct row {
  char const* pattern;
  char const* strip;
  char const* rewrite;
  char const* path;
  char const* sent;  // nullptr = refused
};

TEST_CASE("upstream path, prefix stripped or rewritten") {
  auto const r = GENERATE(values<row>({
      // neither
      {"/**", "", "", "/a", "/a"},
      {"/**", "", "", "//a;b%2Fc", "//a;b%2Fc"},
      // strip_prefix
      {"/api/**", "/api", "", "/api/x", "/x"},
      {"/api/**", "/api", "", "/api", "/"},
      {"/api/**", "/api", "", "/api/", "/"},
      {"/api/**", "/api/", "", "/api/x", "/x"},
      {"/api/**", "/api/", "", "/api", "/"},
      {"/api/v1/**", "/api", "", "/api/v1/x", "/v1/x"},
      {"/api/**", "/", "", "/api/x", "/api/x"},
      {"/**", "/api", "", "/apis/x", nullptr},
      {"/**", "/api", "", "/other", nullptr},
      {"/api/**", "/api", "", "/api/a%20b/", "/a%20b/"},
      // rewrite
      {"/old/**", "", "/new", "/old/x", "/new/x"},
      {"/old/**", "", "/new", "/old", "/new"},
      {"/old/**", "", "/new", "/old/", "/new/"},
      {"/old/**", "", "/new/", "/old/x", "/new/x"},
      {"/old/**", "", "/new/", "/old", "/new/"},
      {"/old/**", "", "/", "/old/x", "/x"},
      {"/old/**", "", "/", "/old", "/"},
      {"/old/*/y/**", "", "/new", "/old/x/y/z", "/new/x/y/z"},
      {"/**", "", "/new", "/x", "/new/x"},
      {"/**", "", "/new", "/", "/new/"},
      {"/*/x", "", "/new", "/a/x", "/new/a/x"},
      {"/old", "", "/new", "/old", "/new"},
      {"/old/", "", "/new", "/old/", "/new"},
      {"/old", "/old", "/new", "/old", "/new"},
      // what more than one reading has goes through, where all of them change alike
      {"/api/**", "/api", "", "/api/a//b", "/a//b"},
      {"/api/**", "/api", "", "/api/a;x=1/b", "/a;x=1/b"},
      {"/api/**", "/api", "", "/api/;jsessionid=1", "/;jsessionid=1"},
      {"/api/**", "/api", "", "/api/group%2Fname", "/group%2Fname"},
      {"/api/**", "/api", "", "/api/a%2F..%2Fb", "/a%2F..%2Fb"},
      {"/old/**", "", "/new", "/old//x", "/new//x"},
      {"/old/**", "", "/new", "/old/a;b", "/new/a;b"},
      // "//" in front is an authority to some
      {"/x/**", "/x", "", "/x//evil", nullptr},
      {"/x/**", "/x", "", "/x//", nullptr},
      {"/x/**", "/x", "", "/x/%2Fevil", nullptr},
      {"/x/**", "/x", "", "/x/%5Cevil", nullptr},
      {"/x/**", "/x", "", "/x/;a/evil", nullptr},
      {"/x/**", "", "/", "/x//evil", nullptr},
      // the prefix is not there in every reading
      {"/**", "/api", "", "/api/..;/x", nullptr},
      {"/**", "/api", "", "/api/..%2Fx", nullptr},
      {"/**", "/api", "", "/api;/x", nullptr},
      // hidden dot segments that leave what was replaced and come back
      {"/x/**", "/x", "", "/x/a/..;/..;/x/b", nullptr},
      {"/x/**", "/x", "", "/x/a/..%2F..%2Fx/b", nullptr},
      {"/x/**", "", "/new", "/x/..;/x/b", nullptr},
      {"/x/**", "", "/new", "/x/a%2F..%2F..%2Fx/b", nullptr},
      {"/x/**", "", "/new", "/x/..%5Cx/b", nullptr},
      {"/x/**", "", "/new/deep", "/x/..;/x/b", nullptr},
      {"/x/**", "/x", "", "/x/y//..;/b", nullptr},
      // no path that was ever matched
      {"/x/**", "/x", "", "", nullptr},
      {"/x/**", "/x", "", "/x/../y", nullptr},
  }));
  CAPTURE(r.pattern, r.strip, r.rewrite, r.path);
  config::route_config route;
  route.path = r.pattern;
  route.strip_prefix = r.strip;
  route.rewrite = r.rewrite;
  auto const sent = route::upstream_path(route, r.path);
  if (!r.sent) {
    CHECK_FALSE(sent.has_value());
    return;
  }
  REQUIRE(sent.has_value());
  CHECK(*sent == r.sent);
  std::string scratch;
  auto const canonical = http::canonicalise(*sent, scratch);
  REQUIRE(canonical.has_value());
  CHECK(canonical->text() == *sent);
}

}  // namespace
