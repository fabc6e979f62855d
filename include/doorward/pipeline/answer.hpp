#pragma once

#include <string>
#include <string_view>

#include "doorward/base/errc.hpp"

/// Answers that doorward gives itself, as HTTP/1.1 bytes appended to a buffer that is used again and again. Pure: no
/// clock, no I/O. A text that could not stand in a header (CR, LF, NUL) leaves its header out.
namespace doorward::pipeline {

/// What every answer needs to know of its request.
struct answer_context {
  std::string_view request_id;
  std::string_view date;        ///< IMF-fixdate (RFC 9110 section 5.6.7); empty = no Date
  bool head = false;            ///< the method is HEAD: everything but the body
  bool close = false;           ///< the connection ends after this answer
  bool http10 = false;          ///< the client speaks HTTP/1.0, so that keeping the connection has to be said
  std::string_view set_cookie;  ///< value of a Set-Cookie; empty = none
  std::string_view hsts_line;   ///< "Strict-Transport-Security: ...\r\n"; empty = none
};

/// A refusal. Which headers come with it follows from its status: WWW-Authenticate with 401, Retry-After with 429 and
/// 503, Allow with 405.
struct refusal {
  errc why = errc::internal;
  bool is_navigation = false;   ///< a person is looking: a page instead of JSON
  std::string_view login_link;  ///< shown on the page of a 401; empty = none
  unsigned retry_after = 1;     ///< seconds
  bool tries_again = false;     ///< the page loads itself anew after that time
  std::string_view allow;       ///< methods joined by ", "
  std::string_view challenge;   ///< parameters of WWW-Authenticate; empty = the scheme alone
  bool names_login = false;     ///< `login_link` also stands in Doorward-Login, for a proxy to send people to
  unsigned status = 0;          ///< sent instead of the one of `why`, over a connection that goes on; 0 = that one
};

/// `application/problem+json` (RFC 9457) with `type` "urn:doorward:{code}", `title`, `status`, `detail`, `code` and
/// `request_id`, or a page that needs nothing else. The connection is closed where about(why).close says so.
void append_refusal(std::string& out, answer_context const& c, refusal const& r);

/// 302 or 303 (or another status with a Location) without a body.
void append_redirect(std::string& out, answer_context const& c, unsigned status, std::string_view location);

/// The answer of a route with `respond:`; also 204. From 400 on it has the body of a refusal, with code "not_found" for
/// 404 and "respond" for the others; below, it has none. With `sent` that is the status, and there is always a body.
void append_status(std::string& out, answer_context const& c, unsigned status, bool is_navigation = false,
                   unsigned sent = 0);

/// 200 without a body: a proxy is told to let a request through. `lines`: whole header lines that tell who it is.
void append_allowed(std::string& out, answer_context const& c, std::string_view lines);

/// A page of our own, complete as given. `style`: the text of its one <style>, which alone may be used; `posts`: it has
/// forms, which are sent to this origin.
void append_html(std::string& out, answer_context const& c, unsigned status, std::string_view html,
                 std::string_view style, bool posts);

/// A body of this media type that is the same for everybody, complete as given: the one answer that may be kept, for
/// `max_age` seconds.
void append_public(std::string& out, answer_context const& c, std::string_view type, unsigned max_age,
                   std::string_view body);

/// A JSON body, complete as given. `Cache-Control: no-store`, as everywhere but there.
void append_json(std::string& out, answer_context const& c, unsigned status, std::string_view json);

}  // namespace doorward::pipeline
