#pragma once

#include "descriptor.hpp"
#include "doorward/net/stream.hpp"

namespace doorward::test {

/// A stream of the program at one end of a Unix connection, and the test at the other.
struct stream_pair {
  explicit stream_pair(net::asio::io_context& context) : stream_pair(context, socket_pair()) {}

  net::stream stream;
  descriptor peer;

private:
  stream_pair(net::asio::io_context& context, std::pair<descriptor, descriptor> ends)
      : stream(net::socket(context, net::asio::generic::stream_protocol(AF_UNIX, 0), ends.first.release())),
        peer(std::move(ends.second)) {
    // Little, so that it does not take megabytes to fill it.
    int const bytes = 16 * 1024;
    ::setsockopt(stream.native().native_handle(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  }
};

}  // namespace doorward::test
