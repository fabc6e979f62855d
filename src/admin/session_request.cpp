#include "admin/session_request.hpp"

#include <openssl/crypto.h>

#include <nlohmann/json.hpp>

#include "doorward/base/encoding.hpp"
#include "doorward/http/status.hpp"

namespace doorward::admin {
namespace {

constexpr std::string_view base = "/sessions";
constexpr std::size_t handle_length = 22;

// In a time that says nothing of where they differ, or of how long the right one is.
bool is_same_secret(std::string_view a, std::string_view b) {
  auto const x = sha256(a);
  auto const y = sha256(b);
  return CRYPTO_memcmp(x.data(), y.data(), x.size()) == 0;
}

// RFC 6750 section 2.1; the scheme's name is case-insensitive (RFC 9110 section 11.1).
bool presents(std::string_view authorization, redacted const& token) {
  constexpr std::string_view scheme = "bearer ";
  if (!iequals(authorization.substr(0, scheme.size()), scheme)) return false;
  return is_same_secret(trim(authorization.substr(scheme.size())), token.reveal());
}

response unauthorized(bool presented) {
  auto r = problem(401, "unauthorized", presented ? "That is not the token of admin.token." : "Present admin.token.");
  r.challenge =
      presented ? R"(Bearer realm="doorward admin", error="invalid_token")" : R"(Bearer realm="doorward admin")";
  return r;
}

bool is_handle(std::string_view text) noexcept {
  if (text.size() != handle_length) return false;
  for (char const c : text)
    if (!is_unreserved(static_cast<unsigned char>(c)) || c == '.' || c == '~') return false;
  return true;
}

// The user, or what is wrong. One parameter and no other: a misspelt `handle` beside a user must not end all sessions.
std::variant<std::string, response> read_user(std::string_view query) {
  constexpr std::string_view name = "user=";
  if (!query.starts_with(name) || query.find('&') != query.npos)
    return problem(400, "bad_request", "The query has to be `user=` and a user, and nothing else.");
  auto const written = query.substr(name.size());
  // Forms mean a blank by it, URLs a plus. Guessing wrong would leave somebody logged in.
  if (written.find('+') != written.npos)
    return problem(400, "bad_request", "A `+` can be read in two ways: write %2B, or %20 for a blank.");
  std::string user;
  if (!percent_decode(user, written)) return problem(400, "bad_request", "The user is not percent-encoded properly.");
  if (user.empty()) return problem(400, "bad_request", "The user is empty.");
  return user;
}

}  // namespace

response problem(unsigned status, std::string_view code, std::string_view detail) {
  nlohmann::ordered_json const body{{"type", "urn:doorward:" + std::string(code)},
                                    {"title", std::string(http::reason_phrase(status))},
                                    {"status", status},
                                    {"detail", std::string(detail)},
                                    {"code", std::string(code)}};
  response r;
  r.status = status;
  r.type = "application/problem+json";
  r.body = body.dump() + '\n';
  return r;
}

bool is_about_sessions(std::string_view target) noexcept {
  auto const path = target.substr(0, target.find('?'));
  return path.starts_with(base) && (path.size() == base.size() || path[base.size()] == '/');
}

std::variant<session_wish, response> read_session_request(session_request const& r, redacted const& token) {
  if (token.empty())
    return problem(403, "forbidden", "Sessions are not shown here: the configuration has no admin.token.");
  if (!presents(r.authorization, token)) return unauthorized(!r.authorization.empty());

  auto const question = r.target.find('?');
  auto const path = r.target.substr(0, question);
  session_wish wish;
  bool const one = path.size() > base.size();
  if (one) wish.handle = path.substr(base.size() + 1);
  if (one && !is_handle(wish.handle)) return problem(404, "not_found", "That is not the handle of a session.");
  if (r.method == "GET" || r.method == "HEAD") {
    wish.what = one ? session_wish::kind::show : session_wish::kind::list;
  } else if (r.method == "DELETE") {
    wish.what = one ? session_wish::kind::end_one : session_wish::kind::end_all;
  } else {
    auto wrong = problem(405, "method_not_allowed", "There are GET and DELETE.");
    wrong.allow = "GET, HEAD, DELETE";
    return wrong;
  }
  auto user = read_user(question == r.target.npos ? std::string_view{} : r.target.substr(question + 1));
  if (auto* wrong = std::get_if<response>(&user)) return std::move(*wrong);
  wish.user = std::move(std::get<std::string>(user));
  return wish;
}

}  // namespace doorward::admin
