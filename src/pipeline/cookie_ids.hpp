#pragma once

#include "doorward/pipeline/exchange.hpp"

/// From what a session cookie holds to the id it stands for: the id itself, a signed one (session.cookie.keys), what
/// another program makes of it (session.cookie.codec), or a JWT around it (session.envelope).
namespace doorward::pipeline {

/// Collects what may lead to an id from one Cookie field. True when our cookie was in it.
bool find_cookies(exchange& x, std::string_view field);

/// Where the cookies hold envelopes: puts the ids in the place of those. What is none is left out, and an id that is
/// there already too.
void take_ids_out(exchange& x);

}  // namespace doorward::pipeline
