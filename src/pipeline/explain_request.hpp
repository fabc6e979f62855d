#pragma once

#include "doorward/pipeline/explain.hpp"

namespace doorward::pipeline {

/// Adds to `out` what is wrong with a request that `receive` did not take, for the reason `why`. The parser only says
/// that something is: here the parts are tried one by one, which nobody who serves requests has time for.
void explain_request(exchange const& x, errc why, explanation& out);

}  // namespace doorward::pipeline
