#pragma once

#include "doorward/net/task.hpp"
#include "doorward/pipeline/exchange.hpp"

/// The eight stages, one file each, in the order in which process.cpp calls them. Each says no by returning an errc;
/// the reply is made in one place, `finish`.
namespace doorward::pipeline {

/// Parses the head and reduces host and path to their one form.
[[nodiscard]] result<void> receive(exchange& x);

/// Reduces a request-target in origin-form to its one form: path and query of x. Unchanged after a refusal, except that
/// path_storage may have been used.
[[nodiscard]] result<void> take_target(exchange& x, std::string_view target);

/// Decides which fields pass on: nothing that only doorward may say, nothing that concerns one connection only.
[[nodiscard]] result<void> sanitize(exchange& x);

/// Finds the route.
[[nodiscard]] result<void> match(exchange& x);

/// Resolves the session, where the route asks for one.
[[nodiscard]] net::task<result<void>> authenticate(exchange& x);

/// Applies the route's rules to who was found, and the cross-site guard.
[[nodiscard]] result<void> authorize(exchange& x);

/// The request goes to the login form itself, in any of the ways in which a server may read the path.
[[nodiscard]] bool names_login_form(exchange const& x);

/// The conditions of the route's `allow`: one of the wanted roles, a wanted value of a field.
[[nodiscard]] bool has_allowed_role(exchange const& x);
[[nodiscard]] bool has_allowed_value(exchange const& x, runtime::compiled_route::field_rule const& rule);

/// All of them together: what a route asks of a session, whoever holds it.
[[nodiscard]] bool is_allowed(session::record const& who, runtime::compiled_route const& route);

/// The methods that would do where this one does not, for `Allow`.
[[nodiscard]] std::string allowed_methods(exchange const& x);

/// True when the request asks for a WebSocket and may have one.
[[nodiscard]] bool passes_upgrade(exchange const& x) noexcept;

/// True for a body that the method gives no meaning: some upstreams do not read it.
[[nodiscard]] bool has_meaningless_body(exchange const& x) noexcept;

/// True where whoever answers the route has the session cookie too: it is sent there, and may be set there.
[[nodiscard]] bool is_upstreams_cookie(exchange const& x) noexcept;

/// Builds the head that goes upstream.
[[nodiscard]] result<void> transform(exchange& x);

/// What becomes of a header of `headers:` that there is nothing to put into.
enum class when_absent {
  left_out,
  empty,  ///< it is there without a value: whoever copies it overwrites what was there
};
/// The lines that tell who it is. errc::bad_identity when a field holds what would end a header line, or one that has
/// to be there is not.
[[nodiscard]] result<void> append_identity(std::string& out, exchange const& x, when_absent absent);
/// The same once more, signed, where `assertion` has keys. Fails as auth::assertion_signer does.
[[nodiscard]] result<void> append_assertion(std::string& out, exchange const& x, when_absent absent);

/// Sends the request where it belongs, and the answer back.
[[nodiscard]] net::task<result<void>> forward(exchange& x);

/// True when a request refused for `why` is sent to the login page instead of being told 401.
[[nodiscard]] bool goes_to_login(exchange const& x, errc why) noexcept;

/// Answers a refusal, leaves the connection fit for the next request or marks it for closing, counts, logs. Always
/// runs.
[[nodiscard]] net::task<> finish(exchange& x);

}  // namespace doorward::pipeline
