#pragma once

#include <boost/asio/io_context.hpp>

namespace doorward::net {

namespace asio = boost::asio;

/// The concrete executor of everything a worker owns. `any_io_executor` would cost some 180 instructions an operation.
using executor = asio::io_context::executor_type;

}  // namespace doorward::net
