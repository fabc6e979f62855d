#include "doorward/base/errc.hpp"

#include <array>
#include <string>

namespace doorward {
namespace {

constexpr bool closes = true;
constexpr bool keeps = false;

// In the order of the enumerators; a static_assert below keeps it so.
struct row {
  errc e;
  errc_info info;
};

constexpr std::array table{
    row{errc::bad_request,
        {"bad_request", "bad_request", 400, origin::downstream, closes, "The request could not be understood."}},
    row{errc::header_too_large,
        {"header_too_large", "header_too_large", 431, origin::downstream, closes, "The request header is too large."}},
    row{errc::too_many_headers,
        {"too_many_headers", "too_many_headers", 431, origin::downstream, closes,
         "The request has too many header fields."}},
    row{errc::target_too_long,
        {"target_too_long", "target_too_long", 414, origin::downstream, closes, "The address is too long."}},
    row{errc::body_too_large,
        {"body_too_large", "body_too_large", 413, origin::downstream, closes, "The request body is too large."}},
    row{errc::request_timeout,
        {"request_timeout", "request_timeout", 408, origin::downstream, closes, "The request did not arrive in time."}},
    row{errc::ambiguous_path,
        {"ambiguous_path", "ambiguous_path", 400, origin::downstream, closes,
         "The path can be read in more than one way."}},
    row{errc::unsupported_expectation,
        {"unsupported_expectation", "bad_request", 417, origin::downstream, closes,
         "The request expects something this server does not do."}},
    row{errc::client_gone, {"client_gone", "client_gone", 499, origin::downstream, closes, "The client went away."}},
    row{errc::no_route, {"no_route", "not_found", 404, origin::policy, keeps, "There is nothing at this address."}},
    row{errc::method_not_allowed,
        {"method_not_allowed", "method_not_allowed", 405, origin::policy, keeps,
         "This address does not allow that method."}},
    row{errc::no_session, {"no_session", "no_session", 401, origin::session, keeps, "Please log in."}},
    row{errc::session_malformed, {"session_malformed", "no_session", 401, origin::session, keeps, "Please log in."}},
    row{errc::session_forged, {"session_forged", "no_session", 401, origin::session, keeps, "Please log in."}},
    row{errc::session_unknown, {"session_unknown", "no_session", 401, origin::session, keeps, "Please log in."}},
    row{errc::session_ghost, {"session_ghost", "no_session", 401, origin::session, keeps, "Please log in."}},
    row{errc::session_wrong_type, {"session_wrong_type", "no_session", 401, origin::session, keeps, "Please log in."}},
    row{errc::session_undecodable,
        {"session_undecodable", "no_session", 401, origin::session, keeps, "Please log in."}},
    row{errc::session_expired,
        {"session_expired", "session_expired", 401, origin::session, keeps,
         "Your session has ended. Please log in again."}},
    row{errc::session_displaced,
        {"session_displaced", "session_displaced", 401, origin::session, keeps,
         "You have logged in somewhere else, and this session has ended. Please log in again."}},
    row{errc::session_revoked,
        {"session_revoked", "session_revoked", 401, origin::session, keeps,
         "This session was ended from another place. Please log in again."}},
    row{errc::session_limit,
        {"session_limit", "session_limit", 403, origin::session, keeps,
         "You are logged in at as many places as you may be. Log out at one of them first."}},
    row{errc::session_conflict,
        {"session_conflict", "no_session", 401, origin::session, keeps,
         "Two different sessions came with the request. Please log in again."}},
    row{errc::session_too_weak,
        {"session_too_weak", "insufficient_user_authentication", 401, origin::session, keeps,
         "This needs a stronger login than yours. Please log in again."}},
    row{errc::session_too_old,
        {"session_too_old", "insufficient_user_authentication", 401, origin::session, keeps,
         "It has been a while since you logged in, and this needs a fresh login. Please log in again."}},
    row{errc::session_elsewhere,
        {"session_elsewhere", "no_session", 401, origin::session, keeps,
         "Your session was begun in another place. Please log in again."}},
    row{errc::forbidden,
        {"forbidden", "forbidden", 403, origin::policy, keeps, "You are logged in, but this is not for your account."}},
    row{errc::csrf,
        {"csrf", "csrf", 403, origin::policy, keeps, "The request came from another site and was not carried out."}},
    row{errc::forward_auth_untrusted,
        {"forward_auth_untrusted", "forbidden", 403, origin::policy, keeps,
         "Only a proxy that this server trusts may ask that."}},
    row{errc::login_address_banned,
        {"login_address_banned", "rate_limited", 429, origin::policy, keeps,
         "Too many logins from your address have failed. Please wait before you try again."}},
    row{errc::login_user_banned,
        {"login_user_banned", "rate_limited", 429, origin::policy, keeps,
         "Too many logins with this name have failed. Please wait before you try again."}},
    row{errc::login_queue_full,
        {"login_queue_full", "login_busy", 503, origin::policy, keeps,
         "Many people are logging in right now. Nothing is wrong with your account; please try again in a moment."}},
    row{errc::login_queue_timeout,
        {"login_queue_timeout", "login_busy", 503, origin::policy, keeps,
         "Many people are logging in right now. Nothing is wrong with your account; please try again in a moment."}},
    row{errc::store_unavailable,
        {"store_unavailable", "store_unavailable", 503, origin::store, keeps,
         "Sessions cannot be checked right now. You are still logged in; please try again."}},
    row{errc::store_timeout,
        {"store_timeout", "store_unavailable", 503, origin::store, keeps,
         "Sessions cannot be checked right now. You are still logged in; please try again."}},
    row{errc::store_error,
        {"store_error", "store_unavailable", 503, origin::store, keeps,
         "Sessions cannot be checked right now. You are still logged in; please try again."}},
    row{errc::store_protocol,
        {"store_protocol", "store_unavailable", 503, origin::store, keeps,
         "Sessions cannot be checked right now. You are still logged in; please try again."}},
    row{errc::store_oversized,
        {"store_oversized", "store_unavailable", 503, origin::store, keeps,
         "Your session holds too much to be read here."}},
    row{errc::upstream_connect,
        {"upstream_connect", "upstream_unavailable", 502, origin::upstream, keeps,
         "The application behind this server cannot be reached."}},
    row{errc::upstream_connect_timeout,
        {"upstream_connect_timeout", "upstream_timeout", 504, origin::upstream, keeps,
         "The application behind this server did not answer in time."}},
    row{errc::upstream_tls,
        {"upstream_tls", "upstream_unavailable", 502, origin::upstream, keeps,
         "The application behind this server could not be verified."}},
    row{errc::upstream_reset,
        {"upstream_reset", "upstream_unavailable", 502, origin::upstream, keeps,
         "The application behind this server broke off."}},
    row{errc::upstream_timeout,
        {"upstream_timeout", "upstream_timeout", 504, origin::upstream, keeps,
         "The application behind this server did not answer in time."}},
    row{errc::upstream_bad_response,
        {"upstream_bad_response", "upstream_unavailable", 502, origin::upstream, keeps,
         "The application behind this server gave an answer that could not be understood."}},
    row{errc::upstream_saturated,
        {"upstream_saturated", "upstream_saturated", 503, origin::upstream, keeps,
         "The application behind this server is busy. Please try again."}},
    row{errc::bad_identity,
        {"bad_identity", "bad_identity", 502, origin::session, keeps,
         "Your session holds a value that cannot be passed on."}},
    row{errc::bad_grant,
        {"bad_grant", "bad_grant", 502, origin::upstream, keeps,
         "The login service gave an answer that could not be understood."}},
    row{errc::overloaded,
        {"overloaded", "overloaded", 503, origin::internal, closes, "This server is busy. Please try again."}},
    row{errc::internal, {"internal", "internal", 500, origin::internal, closes, "Something went wrong here."}},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (static_cast<std::size_t>(table[i].e) != i + 1) return false;
  return static_cast<std::size_t>(errc::internal) == table.size();
}
static_assert(in_order());

class category final : public boost::system::error_category {
public:
  char const* name() const noexcept override { return "doorward"; }
  std::string message(int value) const override { return std::string(about(static_cast<errc>(value)).reason); }
};

}  // namespace

errc_info const& about(errc e) noexcept {
  auto const i = static_cast<std::size_t>(e) - 1;
  return i < table.size() ? table[i].info : table.back().info;
}

boost::system::error_category const& errc_category() noexcept {
  static category const instance;
  return instance;
}

}  // namespace doorward
