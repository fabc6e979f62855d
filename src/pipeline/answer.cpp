#include "doorward/pipeline/answer.hpp"

#include <array>
#include <cstddef>

#include "doorward/base/encoding.hpp"
#include "doorward/http/status.hpp"

namespace doorward::pipeline {
namespace {

constexpr std::string_view problem_json = "application/problem+json";

// The page's whole style. Its hash stands in page_policy, which allows this text and nothing else; the test works the
// hash out again. Colours have a contrast of at least 5.5:1 on both backgrounds (WCAG 2.1 asks for 4.5).
constexpr std::string_view page_style =
    ":root{color-scheme:light dark}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;font:1rem/1.5 system-ui,sans-serif;"
    "background:#f6f7f9;color:#1b1f24}"
    "main{box-sizing:border-box;width:100%;max-width:34rem;padding:1.5rem}"
    "h1{margin:0 0 .5rem;font-size:1.5rem;line-height:1.25}"
    "p{margin:0 0 1rem;overflow-wrap:anywhere}"
    "a{display:inline-block;padding:.5rem 1rem;border-radius:.375rem;background:#0b5cad;color:#fff;"
    "text-decoration:none}"
    "a:focus-visible{outline:3px solid;outline-offset:2px}"
    "small{color:#57606a}"
    "@media(prefers-color-scheme:dark){body{background:#15181c;color:#e6e9ed}"
    "a{background:#7cb7ff;color:#15181c}small{color:#a0a8b2}}";
constexpr std::string_view page_policy =
    "Content-Security-Policy: default-src 'none'; style-src 'sha256-DBDJy3YfmY1P2fLSJIbhssmo0+9L06FzGM/S+vjqguY='; "
    "base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n";

// A header, or nothing when `value` could not stand in one.
void append_header(std::string& out, std::string_view name, std::string_view value) {
  auto const from = out.size();
  out += name;
  out += ": ";
  if (append_header_value(out, value))
    out += "\r\n";
  else
    out.resize(from);
}

// RFC 9110 section 8.6 forbids Content-Length in 1xx and 204; in 304 it would speak of another answer.
constexpr bool has_no_content(unsigned status) noexcept {
  return status < 200 || status == 204 || status == 304;
}

// Status line and the headers that follow from status and type alone.
void append_fixed(std::string& out, unsigned status, std::string_view type, std::string_view challenge = {},
                  std::string_view keep = "no-store") {
  out += "HTTP/1.1 ";
  append_number(out, status);
  out += ' ';
  out += http::reason_phrase(status);
  out += "\r\nCache-Control: ";
  out += keep;
  out += "\r\nX-Content-Type-Options: nosniff\r\n";
  if (!type.empty()) append_header(out, "Content-Type", type);
  if (status != 401) return;
  out += "WWW-Authenticate: Session";
  if (!challenge.empty()) (out += ' ') += challenge;
  out += "\r\n";
}

// The rest of the headers, the empty line, and the body.
void append_rest(std::string& out, answer_context const& c, unsigned status, std::string_view body, bool close) {
  if (!has_no_content(status)) {
    out += "Content-Length: ";
    append_number(out, body.size());
    out += "\r\n";
  }
  if (!c.date.empty()) append_header(out, "Date", c.date);
  if (!c.request_id.empty()) append_header(out, "X-Request-Id", c.request_id);
  if (!c.set_cookie.empty()) append_header(out, "Set-Cookie", c.set_cookie);
  out += c.hsts_line;
  if (close || c.close)
    out += "Connection: close\r\n";
  else if (c.http10)
    out += "Connection: keep-alive\r\n";
  out += "\r\n";
  if (!c.head) out += body;
}

/// What a body says.
struct explanation {
  unsigned status;
  std::string_view code;
  std::string_view text;  ///< ours: needs no escaping, which the tests see to
};

// Up to the request id; `"}` comes after it.
void append_problem_start(std::string& out, explanation const& e) {
  out += R"({"type":"urn:doorward:)";
  out += e.code;
  out += R"(","title":")";
  out += http::reason_phrase(e.status);
  out += R"(","status":)";
  append_number(out, e.status);
  out += R"(,"detail":")";
  out += e.text;
  out += R"(","code":")";
  out += e.code;
  out += R"(","request_id":")";
}

void append_problem_end(std::string& out, answer_context const& c) {
  append_json_escaped(out, c.request_id);
  out += "\"}";
}

constexpr std::string_view title_of(unsigned status, std::string_view code) noexcept {
  if (code == "insufficient_user_authentication") return "Please log in again";  // they are logged in
  switch (status) {
    case 401: return "You are not logged in";
    case 403: return "Not allowed";
    case 404: return "Nothing here";
    case 405: return "Not possible here";
    case 429: return "Too many requests";
    case 502: return "The application is not available";
    case 503: return "Please try again in a moment";
    case 504: return "The application took too long";
    default: return status >= 500 ? "Something went wrong" : "This request was not accepted";
  }
}

// Where the same request may go through a little later.
constexpr bool is_passing(unsigned status) noexcept {
  return status == 408 || status == 429 || (status >= 502 && status <= 504);
}

/// What a page shows beside its text.
struct page_extras {
  std::string_view login_link;  ///< empty = none
  unsigned reload_after = 0;    ///< seconds; 0 = it stays. A form that was sent is not sent again: the page is fetched.
  std::string_view challenge;   ///< for the head
};

void append_page(std::string& out, answer_context const& c, explanation const& e, page_extras const& extras) {
  auto const title = title_of(e.status, e.code);
  out +=
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  if (extras.reload_after > 0) {
    out += "<meta http-equiv=\"refresh\" content=\"";
    append_number(out, extras.reload_after);
    out += "\">\n";
  }
  out += "<title>";
  out += title;
  out += "</title>\n<style>";
  out += page_style;
  out += "</style>\n</head>\n<body>\n<main>\n<h1>";
  out += title;
  out += "</h1>\n<p>";
  out += e.text;
  out += "</p>\n";
  if (extras.reload_after > 0) {
    out += "<p>This page tries again by itself in ";
    append_number(out, extras.reload_after);
    out += extras.reload_after == 1 ? " second.</p>\n" : " seconds.</p>\n";
  }
  if (e.status == 401 && !extras.login_link.empty()) {
    out += "<p><a href=\"";
    append_html_escaped(out, extras.login_link);
    out += "\">Log in</a></p>\n";
  } else if (is_passing(e.status)) {
    out += "<p><a href=\"\">Try again</a></p>\n";  // an empty reference is the page itself
  }
  out += "<p><small>";
  append_number(out, e.status);
  out += " &middot; ";
  out += e.code;
  out += " &middot; ";
  append_html_escaped(out, c.request_id);
  out += "</small></p>\n</main>\n</body>\n</html>\n";
}

// Bodies are put together before their length can be said; the memory is used again by the next answer.
std::string& scratch() {
  thread_local std::string body;
  body.clear();
  return body;
}

/// The parts of a JSON refusal that are the same every time. A flood of made-up cookies ends here.
struct ready_made {
  std::string head;
  std::string body;
};

constexpr std::size_t refusals = static_cast<std::size_t>(errc::internal);

ready_made const& ready(errc why) {
  static auto const all = [] {
    std::array<ready_made, refusals> made;
    for (std::size_t i = 0; i < refusals; ++i) {
      auto const& a = about(static_cast<errc>(i + 1));
      append_fixed(made[i].head, a.status, problem_json);
      append_problem_start(made[i].body, {a.status, a.code, a.text});
    }
    return made;
  }();
  auto const i = static_cast<std::size_t>(why) - 1;
  return all[i < refusals ? i : refusals - 1];
}

void append_explained_page(std::string& out, explanation const& e, answer_context const& c, page_extras const& extras,
                           auto const& more_headers, bool close) {
  auto& body = scratch();
  append_page(body, c, e, extras);
  append_fixed(out, e.status, "text/html; charset=utf-8", extras.challenge);
  out += page_policy;
  more_headers();
  append_rest(out, c, e.status, body, close);
}

}  // namespace

void append_refusal(std::string& out, answer_context const& c, refusal const& r) {
  auto const& a = about(r.why);
  auto const status = r.status == 0 ? a.status : r.status;
  auto const close = r.status == 0 && a.close;
  auto const more_headers = [&] {
    if (r.names_login) append_header(out, "Doorward-Login", r.login_link);
    if (a.status == 429 || status == 503) {
      out += "Retry-After: ";
      append_number(out, r.retry_after);
      out += "\r\n";
    }
    if (status == 405) append_header(out, "Allow", r.allow);
  };
  if (r.is_navigation) {
    page_extras const extras{r.login_link, r.tries_again ? r.retry_after : 0, r.challenge};
    append_explained_page(out, {status, a.code, a.text}, c, extras, more_headers, close);
    return;
  }
  auto const& made = ready(r.why);
  auto& body = scratch();
  if (status == a.status)
    body += made.body;
  else
    append_problem_start(body, {status, a.code, a.text});
  append_problem_end(body, c);
  if (status == a.status && r.challenge.empty())
    out += made.head;
  else
    append_fixed(out, status, problem_json, r.challenge);
  more_headers();
  append_rest(out, c, status, body, close);
}

void append_redirect(std::string& out, answer_context const& c, unsigned status, std::string_view location) {
  append_fixed(out, status, {});
  append_header(out, "Location", location);
  append_rest(out, c, status, {}, false);
}

void append_allowed(std::string& out, answer_context const& c, std::string_view lines) {
  append_fixed(out, 200, {});
  out += lines;
  append_rest(out, c, 200, {}, false);
}

void append_status(std::string& out, answer_context const& c, unsigned status, bool is_navigation, unsigned sent) {
  if (status < 400 && sent == 0) {
    append_fixed(out, status, {});
    append_rest(out, c, status, {}, false);
    return;
  }
  if (sent == 0) sent = status;
  explanation e{sent, "respond", "This address does not serve requests."};
  if (status >= 500) e.text = "This is not available right now.";
  if (status == 404) e = {sent, about(errc::no_route).code, about(errc::no_route).text};
  if (is_navigation) {
    append_explained_page(
        out, e, c, {}, [] {}, false);
    return;
  }
  auto& body = scratch();
  append_problem_start(body, e);
  append_problem_end(body, c);
  append_fixed(out, sent, problem_json);
  append_rest(out, c, sent, body, false);
}

void append_html(std::string& out, answer_context const& c, unsigned status, std::string_view html,
                 std::string_view style, bool posts) {
  append_fixed(out, status, "text/html; charset=utf-8");
  out += "Content-Security-Policy: default-src 'none'; style-src 'sha256-";
  out += base64(sha256(style));
  out += "'; base-uri 'none'; form-action ";
  out += posts ? "'self'" : "'none'";
  out += "; frame-ancestors 'none'\r\n";
  append_rest(out, c, status, html, false);
}

void append_public(std::string& out, answer_context const& c, std::string_view type, unsigned max_age,
                   std::string_view body) {
  append_fixed(out, 200, type, {}, "public, max-age=" + std::to_string(max_age));
  append_rest(out, c, 200, body, false);
}

void append_json(std::string& out, answer_context const& c, unsigned status, std::string_view json) {
  append_fixed(out, status, "application/json");
  append_rest(out, c, status, json, false);
}

}  // namespace doorward::pipeline
