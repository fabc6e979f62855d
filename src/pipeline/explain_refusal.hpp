#pragma once

#include "doorward/pipeline/explain.hpp"

namespace doorward::pipeline {

/// Adds to `out` what led to the refusal `why`: what is wrong with the request, which routes were tried, which
/// condition does not hold, what ails Redis. For the stages up to `transform`, whose findings `x` holds.
void explain_refusal(exchange const& x, errc why, explanation& out);

/// Adds what the route's `allow` asks for, and what the session has.
void explain_allow(exchange const& x, explanation& out);

/// Adds what the route's `require` asks for, and how the user logged in.
void explain_require(exchange const& x, explanation& out);

/// "127.0.0.1:6379: refused": what keeps Redis from answering.
[[nodiscard]] std::string redis_trouble(runtime::worker const& w);

/// "/admin/** (doorward.yaml:9)", or "built in" for doorward's own.
[[nodiscard]] std::string route_place(exchange const& x, config::route_config const& r);

}  // namespace doorward::pipeline
