#include "config/address.hpp"

#include "catch.hpp"

using namespace doorward::config;

TEST_CASE("an address to listen on") {
  struct row {
    char const *text, *host;
    std::uint16_t port;
    char const* written;
  };
  for (auto const& [text, host, port, written] :
       std::vector<row>{{"127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1:8080"},
                        {"[::1]:8080", "::1", 8080, "[::1]:8080"},
                        {"[fe80::1%eth0]:80", "fe80::1%eth0", 80, "[fe80::1%eth0]:80"},
                        {"0.0.0.0:0", "0.0.0.0", 0, "0.0.0.0:0"},
                        {"LocalHost:65535", "localhost", 65535, "localhost:65535"},
                        {"my-host_1.example.com:1", "my-host_1.example.com", 1, "my-host_1.example.com:1"}}) {
    INFO(text);
    auto const got = parse_listen(text);
    REQUIRE(std::holds_alternative<endpoint>(got));
    auto const& e = *std::get_if<endpoint>(&got);
    CHECK(e.type == endpoint::kind::tcp);
    CHECK(e.host == host);
    CHECK(e.port == port);
    CHECK(e.text == written);
  }
  auto const socket = parse_listen("unix:/run/doorward.sock");
  REQUIRE(std::holds_alternative<endpoint>(socket));
  CHECK(std::get<endpoint>(socket).type == endpoint::kind::unix_socket);
  CHECK(std::get<endpoint>(socket).path == "/run/doorward.sock");
  CHECK(std::get<endpoint>(socket).text == "unix:/run/doorward.sock");
}

TEST_CASE("what is no address to listen on says how to write it") {
  constexpr char form[] = "not an address to listen on: `host:port`, `[v6]:port` or `unix:/path`";
  constexpr char port[] = "a port is a number from 0 to 65535";
  struct row {
    std::string text, why, fix;
  };
  for (auto const& [text, why, fix] :
       std::vector<row>{{"", form, ""},
                        {"8080", form, "write `127.0.0.1:8080`"},
                        {":8080", form, "write `0.0.0.0:8080`"},
                        {"*:8080", form, "write `0.0.0.0:8080`"},
                        {"example.com", form, "write `example.com:8080`"},
                        {"::1", form, "write `[::1]:8080`"},
                        {"/run/x.sock", form, "write `unix:/run/x.sock`"},
                        {"http://127.0.0.1:80", form, "write `127.0.0.1:80`"},
                        {"::1:8080", form, "write `[::1:8080]:8080`"},
                        {"[127.0.0.1]:80", form, ""},
                        {"[::1:80", form, ""},
                        {"a b:80", form, ""},
                        {"a..b:80", form, ""},
                        {"300.0.0.1:80", form, ""},
                        {"1.2.3.4.5:80", form, ""},
                        {"127.0.0.1:", port, ""},
                        {"127.0.0.1:65536", port, ""},
                        {"127.0.0.1:-1", port, ""},
                        {"127.0.0.1:080808", port, ""},
                        {"127.0.0.1:http", port, ""},
                        {"unix:run/x", "the path of a unix socket is absolute", "write `unix:/...`"},
                        {"unix:", "the path of a unix socket is absolute", "write `unix:/...`"},
                        {"unix:/run/", "the path of a unix socket names a file, not a folder", ""},
                        {"unix:/" + std::string(107, 'x'), "a unix socket's path is at most 107 bytes long", ""}}) {
    INFO(text);
    auto const got = parse_listen(text);
    REQUIRE(std::holds_alternative<complaint>(got));
    CHECK(std::get_if<complaint>(&got)->text == why);
    CHECK(std::get_if<complaint>(&got)->suggestion == fix);
  }
}

TEST_CASE("address blocks, IPv4 inside IPv6") {
  struct row {
    char const *text, *written;
    unsigned prefix;
    std::uint8_t first, thirteenth;
  };
  for (auto const& [text, written, prefix, first, thirteenth] :
       std::vector<row>{{"10.0.0.0/8", "10.0.0.0/8", 104, 0, 10},
                        {"192.168.1.7", "192.168.1.7/32", 128, 0, 192},
                        {"0.0.0.0/0", "0.0.0.0/0", 96, 0, 0},
                        {"fd00::/8", "fd00::/8", 8, 0xFD, 0},
                        {"::1", "::1/128", 128, 0, 0},
                        {"::/0", "::/0", 0, 0, 0},
                        {"::ffff:10.0.0.0/104", "10.0.0.0/8", 104, 0, 10}}) {
    INFO(text);
    auto const got = parse_cidr(text);
    REQUIRE(std::holds_alternative<cidr>(got));
    auto const& block = *std::get_if<cidr>(&got);
    CHECK(block.prefix == prefix);
    CHECK(block.bytes[0] == first);
    CHECK(block.bytes[12] == thirteenth);
    CHECK(cidr_text(block) == written);
  }
}

TEST_CASE("what is no address block") {
  struct row {
    char const *text, *why, *fix;
  };
  for (auto const& [text, why, fix] :
       std::vector<row>{{"", "not an address block", "for example `10.0.0.0/8` or `fd00::/8`"},
                        {"example.com", "not an address block", "for example `10.0.0.0/8` or `fd00::/8`"},
                        {"10.0.0/8", "not an address block", "for example `10.0.0.0/8` or `fd00::/8`"},
                        {"10.0.0.0/33", "the prefix length is a number from 0 to 32", ""},
                        {"10.0.0.0/", "the prefix length is a number from 0 to 32", ""},
                        {"10.0.0.0/-1", "the prefix length is a number from 0 to 32", ""},
                        {"fd00::/129", "the prefix length is a number from 0 to 128", ""},
                        {"fd00::/8/8", "the prefix length is a number from 0 to 128", ""},
                        {"10.0.0.1/8", "bits are set behind the prefix", "write `10.0.0.0/8`, or the address alone"},
                        {"fd00::1/64", "bits are set behind the prefix", "write `fd00::/64`, or the address alone"}}) {
    INFO(text);
    auto const got = parse_cidr(text);
    REQUIRE(std::holds_alternative<complaint>(got));
    CHECK(std::get_if<complaint>(&got)->text == why);
    CHECK(std::get_if<complaint>(&got)->suggestion == fix);
  }
}

TEST_CASE("only this machine reaches a unix socket and loopback") {
  for (auto const* text : {"127.0.0.1:1", "127.8.9.1:1", "[::1]:1", "localhost:1", "unix:/x"}) {
    CHECK(is_local(std::get<endpoint>(parse_listen(text))));
  }
  for (auto const* text : {"0.0.0.0:1", "128.0.0.1:1", "[::]:1", "[::2]:1", "localhost.example.com:1"}) {
    CHECK_FALSE(is_local(std::get<endpoint>(parse_listen(text))));
  }
}
