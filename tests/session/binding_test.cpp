#include "doorward/session/binding.hpp"

#include "catch.hpp"

using namespace doorward::session;

TEST_CASE("two addresses, of one network or not") {
  struct row {
    std::string_view a, b;
    bool same;
  };
  using namespace std::string_view_literals;
  for (auto const& [a, b, same] : {
           row{"192.0.2.1", "192.0.2.1", true},
           row{"192.0.2.1", "192.0.2.254", true},
           row{"192.0.2.1", "192.0.3.1", false},
           row{"192.0.2.1", "193.0.2.1", false},
           row{"::ffff:192.0.2.1", "192.0.2.9", true},
           row{"::ffff:192.0.2.1", "::ffff:192.0.3.1", false},
           row{"2001:db8:1::1", "2001:db8:1:ffff::2", true},
           row{"2001:db8:1::1", "2001:DB8:0001:0::", true},
           row{"2001:db8:1::1", "2001:db8:2::1", false},
           row{"0:0:0::", "0.0.0.0", false},  // as bytes they begin alike
           row{"::1", "::2", true},
           row{"unix", "unix", true},
           row{"unix", "127.0.0.1", false},
           row{"", "", true},
           row{"", "192.0.2.1", false},
           row{"192.0.2", "192.0.2", true},  // no address, but the same
           row{"192.0.2.1\0"sv, "192.0.2.1", false},
           row{"192.0.2.1 ", "192.0.2.1", false},
           row{"192.0.2.1/24", "192.0.2.1", false},
           row{"fe80::1%eth0", "fe80::2%eth0", false},
           row{"fe80::1%eth0", "fe80::1%eth0", true},
           row{"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa", "1111:2222:3333::", false},
       }) {
    CAPTURE(a, b);
    CHECK(same_network(a, b) == same);
    CHECK(same_network(b, a) == same);
  }
}

TEST_CASE("a network's name") {
  CHECK(network_name("192.0.2.77") == "192.0.2.0/24");
  CHECK(network_name("::ffff:192.0.2.77") == "192.0.2.0/24");
  CHECK(network_name("2001:db8:1:2::3") == "2001:db8:1::/48");
  CHECK(network_name("unix") == "unix");
}

TEST_CASE("what is kept of a User-Agent") {
  auto const text = [](std::string_view agent) {
    auto const d = agent_digest(agent);
    return std::string(d.data(), d.size());
  };
  CHECK(text("curl/7.88.1") == "4b2c7fc2a2eeadc5");
  CHECK(text("") == "e3b0c44298fc1c14");
  CHECK(text("curl/7.88.1") != text("curl/7.88.2"));
}
