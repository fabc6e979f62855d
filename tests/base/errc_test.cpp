#include "doorward/base/errc.hpp"

#include <set>
#include <string>

#include "catch.hpp"

namespace {

using doorward::about;
using doorward::errc;
using doorward::error_code;
using doorward::origin;

// What is promised outside (docs/operations.md): a change here is a change of the interface.
TEST_CASE("errc, code and status of every refusal") {
  struct row {
    errc e;
    char const* code;
    unsigned status;
    origin from;
    bool close;
  };
  auto const r = GENERATE(values<row>({
      {errc::bad_request, "bad_request", 400, origin::downstream, true},
      {errc::header_too_large, "header_too_large", 431, origin::downstream, true},
      {errc::too_many_headers, "too_many_headers", 431, origin::downstream, true},
      {errc::target_too_long, "target_too_long", 414, origin::downstream, true},
      {errc::body_too_large, "body_too_large", 413, origin::downstream, true},
      {errc::request_timeout, "request_timeout", 408, origin::downstream, true},
      {errc::ambiguous_path, "ambiguous_path", 400, origin::downstream, true},
      {errc::no_route, "not_found", 404, origin::policy, false},
      {errc::method_not_allowed, "method_not_allowed", 405, origin::policy, false},
      {errc::no_session, "no_session", 401, origin::session, false},
      {errc::session_malformed, "no_session", 401, origin::session, false},
      {errc::session_forged, "no_session", 401, origin::session, false},
      {errc::session_unknown, "no_session", 401, origin::session, false},
      {errc::session_ghost, "no_session", 401, origin::session, false},
      {errc::session_wrong_type, "no_session", 401, origin::session, false},
      {errc::session_undecodable, "no_session", 401, origin::session, false},
      {errc::session_expired, "session_expired", 401, origin::session, false},
      {errc::session_conflict, "no_session", 401, origin::session, false},
      {errc::session_too_weak, "insufficient_user_authentication", 401, origin::session, false},
      {errc::session_too_old, "insufficient_user_authentication", 401, origin::session, false},
      {errc::session_elsewhere, "no_session", 401, origin::session, false},
      {errc::forward_auth_untrusted, "forbidden", 403, origin::policy, false},
      {errc::forbidden, "forbidden", 403, origin::policy, false},
      {errc::csrf, "csrf", 403, origin::policy, false},
      {errc::store_unavailable, "store_unavailable", 503, origin::store, false},
      {errc::store_timeout, "store_unavailable", 503, origin::store, false},
      {errc::store_error, "store_unavailable", 503, origin::store, false},
      {errc::store_protocol, "store_unavailable", 503, origin::store, false},
      {errc::store_oversized, "store_unavailable", 503, origin::store, false},
      {errc::upstream_connect, "upstream_unavailable", 502, origin::upstream, false},
      {errc::upstream_connect_timeout, "upstream_timeout", 504, origin::upstream, false},
      {errc::upstream_reset, "upstream_unavailable", 502, origin::upstream, false},
      {errc::upstream_timeout, "upstream_timeout", 504, origin::upstream, false},
      {errc::upstream_bad_response, "upstream_unavailable", 502, origin::upstream, false},
      {errc::bad_identity, "bad_identity", 502, origin::session, false},
      {errc::bad_grant, "bad_grant", 502, origin::upstream, false},
      {errc::internal, "internal", 500, origin::internal, true},
  }));
  auto const& info = about(r.e);
  CAPTURE(info.reason);
  CHECK(info.code == r.code);
  CHECK(info.status == r.status);
  CHECK(info.from == r.from);
  CHECK(info.close == r.close);
}

TEST_CASE("errc, out of an error code") {
  CHECK(doorward::to_errc(errc::csrf) == errc::csrf);
  // Its value would be bad_request's.
  CHECK(doorward::to_errc(doorward::error_code(1, boost::system::generic_category())) == errc::internal);
}

TEST_CASE("errc, every enumerator has a row of its own") {
  std::set<std::string_view> reasons;
  for (int i = 1; i <= static_cast<int>(errc::internal); ++i) {
    auto const& info = about(static_cast<errc>(i));
    CAPTURE(i, info.reason);
    CHECK(reasons.insert(info.reason).second);
    CHECK_FALSE(info.code.empty());
    CHECK(info.text.ends_with('.'));
    CHECK(info.status >= 400);
    CHECK(info.status < 600);
  }
}

TEST_CASE("errc, a value that is none counts as a bug of ours") {
  CHECK(about(static_cast<errc>(0)).reason == "internal");
  CHECK(about(static_cast<errc>(-1)).reason == "internal");
  CHECK(about(static_cast<errc>(9999)).reason == "internal");
}

TEST_CASE("errc, as an error code") {
  error_code const ec = errc::forbidden;
  CHECK(ec == errc::forbidden);
  CHECK(ec != errc::csrf);
  CHECK(ec.message() == "forbidden");
  CHECK(std::string(ec.category().name()) == "doorward");
  CHECK(ec.failed());
}

TEST_CASE("errc, as the error of a result") {
  doorward::result<int> const r = errc::no_route;
  REQUIRE(r.has_error());
  CHECK(r.error() == errc::no_route);
}

}  // namespace
