#pragma once

#include <boost/asio/generic/stream_protocol.hpp>

#include "doorward/pipeline/downstream.hpp"

namespace doorward::server {

/// The peer of an accepted TCP connection, IPv4 or IPv6.
[[nodiscard]] pipeline::peer tcp_peer(boost::asio::generic::stream_protocol::endpoint const& from);

/// A peer on a Unix socket: it has no address.
[[nodiscard]] pipeline::peer unix_peer();

}  // namespace doorward::server
