#pragma once

#include <array>
#include <boost/asio/generic/stream_protocol.hpp>

#include "doorward/pipeline/downstream.hpp"

namespace doorward::server {

/// The peer of an accepted TCP connection, IPv4 or IPv6.
[[nodiscard]] pipeline::peer tcp_peer(boost::asio::generic::stream_protocol::endpoint const& from);

/// A client as a trusted proxy names it. `address`: IPv4 mapped into IPv6.
[[nodiscard]] pipeline::peer named_peer(std::array<std::uint8_t, 16> const& address);

/// A peer on a Unix socket: it has no address.
[[nodiscard]] pipeline::peer unix_peer();

}  // namespace doorward::server
