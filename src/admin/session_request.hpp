#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "admin/respond.hpp"
#include "doorward/base/redacted.hpp"

/// What is asked of `/sessions` on the admin listener, before anything is done about it. Pure.
namespace doorward::admin {

struct session_wish {
  enum class kind { list, show, end_one, end_all };
  kind what = kind::list;
  std::string user;
  std::string handle;  ///< of `show` and `end_one`
};

/// A request as it came.
struct session_request {
  std::string_view method;
  std::string_view target;
  std::string_view authorization;  ///< the field's value, where there is exactly one
};

/// True for "/sessions" and what is below it, whatever the query.
[[nodiscard]] bool is_about_sessions(std::string_view target) noexcept;

/// The wish, or the answer to a request that has none: 403 where no token is configured, 401 for one that does not
/// present it (RFC 6750), then 404, 405 and 400. Who presents no token learns nothing else.
[[nodiscard]] std::variant<session_wish, response> read_session_request(session_request const& r,
                                                                        redacted const& token);

/// A refusal as RFC 9457 has it.
[[nodiscard]] response problem(unsigned status, std::string_view code, std::string_view detail);

}  // namespace doorward::admin
