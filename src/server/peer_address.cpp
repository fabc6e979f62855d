#include "server/peer_address.hpp"

#include <netinet/in.h>
#include <sys/un.h>
#include <boost/asio/ip/address_v6.hpp>

#include <cstring>

namespace doorward::server {

namespace ip = boost::asio::ip;

pipeline::peer tcp_peer(boost::asio::generic::stream_protocol::endpoint const& from) {
  pipeline::peer p;
  if (from.data()->sa_family == AF_INET) {
    sockaddr_in a{};
    std::memcpy(&a, from.data(), sizeof a);
    ip::address_v4 const v4(ntohl(a.sin_addr.s_addr));
    p.address = ip::make_address_v6(ip::v4_mapped, v4).to_bytes();
    p.text = v4.to_string();
  } else if (from.data()->sa_family == AF_INET6) {
    sockaddr_in6 a{};
    std::memcpy(&a, from.data(), sizeof a);
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &a.sin6_addr, bytes.size());
    p = named_peer(bytes);
  }
  return p;
}

pipeline::peer named_peer(std::array<std::uint8_t, 16> const& address) {
  pipeline::peer p;
  p.address = address;
  ip::address_v6 const v6(address);
  // A dual-stack listener shows IPv4 peers as mapped addresses; people and applications know them as IPv4.
  p.text = v6.is_v4_mapped() ? ip::make_address_v4(ip::v4_mapped, v6).to_string() : v6.to_string();
  return p;
}

pipeline::peer unix_peer() {
  pipeline::peer p;
  p.text = "unix";
  p.is_unix = true;
  return p;
}

}  // namespace doorward::server
