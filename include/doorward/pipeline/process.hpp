#pragma once

#include "doorward/net/task.hpp"
#include "doorward/pipeline/exchange.hpp"

namespace doorward::pipeline {

/// Serves one request, from its parsed bytes to the last byte of its answer. Never throws; whatever happens, the
/// request has been answered (if there was anybody left to answer), counted and logged when this is done.
/// `x.close` then says whether the client's connection goes on.
[[nodiscard]] net::task<> process(exchange& x);

/// Answers, counts and logs a request whose head could not even be read to its end (too large, too slow, not HTTP).
[[nodiscard]] net::task<> refuse_unread(exchange& x, errc why);

}  // namespace doorward::pipeline
