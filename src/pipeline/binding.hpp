#pragma once

#include <string>

#include "doorward/net/task.hpp"
#include "doorward/pipeline/exchange.hpp"

/// `session.bind`: sessions that are good for requests from where their users logged in only.
namespace doorward::pipeline {

/// What of a session and the request is not the same, where the configuration asks for it.
struct difference {
  bool agent = false;    ///< the User-Agent
  bool network = false;  ///< what is around the client's address
  [[nodiscard]] bool any() const noexcept { return agent || network; }
};

/// Compares the request with the session in `x.session`. What the session does not say is no difference: nobody but
/// who can write to Redis can leave it out.
[[nodiscard]] difference difference_of(exchange const& x);

/// What a look-up says about a session whose request is not to use it, only to end or replace it.
struct presented {
  bool elsewhere = false;
  std::string user;  ///< whose it is; empty when it is nobody's
};

/// Looks up the session of a cookie, where sessions are bound; without that it costs nothing and says nothing. An errc
/// of the store when it cannot be told. `x.session` is empty afterwards.
[[nodiscard]] net::task<result<presented>> look_at_presented(exchange& x, std::string_view id);

}  // namespace doorward::pipeline
