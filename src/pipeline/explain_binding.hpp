#pragma once

#include "doorward/pipeline/explain.hpp"

namespace doorward::pipeline {

/// Says in what the request agrees with where the session's user logged in, as far as `session.bind` asks for it.
[[nodiscard]] net::task<> explain_binding(exchange& x, std::string_view id, explanation& out);

}  // namespace doorward::pipeline
