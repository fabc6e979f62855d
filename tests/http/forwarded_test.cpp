#include "doorward/http/forwarded.hpp"

#include <string>

#include "catch.hpp"

using namespace doorward::http;

TEST_CASE("forwarded, well-formed: the nodes, in order") {
  struct row {
    std::string value;
    std::vector<std::string_view> nodes;
  };
  row const rows[] = {
      {"for=192.0.2.43", {"192.0.2.43"}},
      {"For=192.0.2.43, for=198.51.100.17", {"192.0.2.43", "198.51.100.17"}},
      {"for=192.0.2.60;proto=http;by=203.0.113.43", {"192.0.2.60"}},
      {"proto=https ; for=\"[2001:db8:cafe::17]:4711\"", {"[2001:db8:cafe::17]:4711"}},
      {"for=\"_gazonk\",for=unknown", {"_gazonk", "unknown"}},
      {"by=10.0.0.1, for=192.0.2.1", {"", "192.0.2.1"}},
      {"for=\"a,b;c\",for=d", {"a,b;c", "d"}},
      {"", {""}},
  };
  for (auto const& r : rows) {
    INFO(r.value);
    std::vector<std::string_view> got;
    CHECK(append_forwarded_for(r.value, got));
    CHECK(got == r.nodes);
  }
}

TEST_CASE("forwarded, not following the grammar: nothing of it") {
  for (std::string const value : {"192.0.2.43", "for", "for=", "for=\"open", "for=\"a\\\"b\"", "for=a b", "for=a;for=b",
                                  "for=1.2.3.4, for=[2001:db8::1]", "for = a", "=a"}) {
    INFO(value);
    std::vector<std::string_view> got{"kept"};
    CHECK_FALSE(append_forwarded_for(value, got));
    CHECK(got == std::vector<std::string_view>{"kept"});
  }
}

TEST_CASE("node, with and without a port: its address") {
  struct row {
    std::string_view node;
    std::string_view address;
  };
  row const rows[] = {
      {"192.0.2.1", "192.0.2.1"},
      {"192.0.2.1:4711", "192.0.2.1"},
      {"[2001:db8::1]", "2001:db8::1"},
      {"[2001:db8::1]:1", "2001:db8::1"},
      {"2001:db8::1", "2001:db8::1"},
      {"unknown", "unknown"},
      {"[2001:db8::1", ""},
      {"", ""},
  };
  for (auto const& r : rows) {
    INFO(r.node);
    CHECK(node_address(r.node) == r.address);
  }
}
