#include "server/peer_address.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "catch.hpp"

namespace {

using namespace doorward;
namespace asio = boost::asio;

pipeline::peer peer_at(std::string const& address) {
  return server::tcp_peer(
      asio::generic::stream_protocol::endpoint(asio::ip::tcp::endpoint(asio::ip::make_address(address), 4711)));
}

}  // namespace

TEST_CASE("peer, by its address") {
  struct row {
    std::string address;
    std::string text;
    std::string in_v6;
  };
  auto const [address, text, in_v6] = GENERATE(values<row>({
      {"192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"},
      {"127.0.0.1", "127.0.0.1", "::ffff:127.0.0.1"},
      {"2001:db8::1", "2001:db8::1", "2001:db8::1"},
      {"::1", "::1", "::1"},
      {"::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"},  // over a listener for both
      {"fe80::1%1", "fe80::1", "fe80::1"},                    // a zone says something on this machine only
  }));
  CAPTURE(address);
  auto const p = peer_at(address);
  CHECK(p.text == text);
  CHECK(p.address == asio::ip::make_address_v6(in_v6).to_bytes());
  CHECK_FALSE(p.is_unix);
  CHECK_FALSE(p.trusted);  // that is for the configuration to say
}

TEST_CASE("peer, on a Unix socket: no address, and never trusted") {
  auto const p = server::unix_peer();
  CHECK(p.text == "unix");
  CHECK(p.is_unix);
  CHECK(p.address == std::array<std::uint8_t, 16>{});
  CHECK_FALSE(p.trusted);
}
