#pragma once

#include "doorward/net/task.hpp"
#include "doorward/pipeline/answer.hpp"
#include "doorward/pipeline/exchange.hpp"

/// What doorward answers itself.
namespace doorward::pipeline {

/// Whether one of doorward's own endpoints has something to do for the method; true for other routes.
[[nodiscard]] bool takes_method(exchange const& x) noexcept;

/// Ends the session of the request, or all of its user's with `?everywhere=1` (docs/security.md, "Requests from other
/// sites", says who may ask for it).
[[nodiscard]] net::task<result<void>> log_out(exchange& x);

/// `/.doorward/whoami`: who the session belongs to, as JSON.
[[nodiscard]] net::task<result<void>> tell_who(exchange& x);

/// `/.doorward/sessions`: where the user is logged in, as JSON or as a page, and the end of one, the others, or all.
[[nodiscard]] net::task<result<void>> serve_sessions(exchange& x);

/// `/.doorward/jwks`: the public keys that assertions are verified with.
[[nodiscard]] net::task<result<void>> tell_keys(exchange& x);

/// The fixed answer of a route with `respond:`.
[[nodiscard]] net::task<result<void>> respond(exchange& x);

/// `/.doorward/auth`: what becomes of a request that a proxy in front has (docs/forward-auth.md). Its answer is 200
/// with the headers that tell who it is, or a refusal with one of the statuses of status_for_proxy().
[[nodiscard]] net::task<result<void>> answer_proxy(exchange& x);

/// The status that a proxy is given in place of `status`: 401 and 503 as they are, 503 for what is no fault of the
/// request, 403 for the rest. nginx takes any other for a failure of ours and answers 500.
[[nodiscard]] unsigned status_for_proxy(unsigned status) noexcept;

/// The request is a proxy's question, even if nothing but its first line could be understood.
[[nodiscard]] bool is_asked_by_proxy(exchange const& x) noexcept;

/// The same address with https, for listeners that do nothing else.
[[nodiscard]] net::task<result<void>> redirect_to_https(exchange& x);

/// `Strict-Transport-Security` as a whole line, where this answer is to have it; else empty.
[[nodiscard]] std::string_view hsts_line(exchange const& x) noexcept;

/// Settles whether the connection goes on (x.close), because the answer says so; returns what else an answer needs to
/// know of its request.
[[nodiscard]] answer_context begin_answer(exchange& x);

/// Sends an answer that stands in the worker's scratch.
[[nodiscard]] net::task<result<void>> send_own(exchange& x, unsigned status);

}  // namespace doorward::pipeline
