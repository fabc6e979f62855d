#pragma once

#include <optional>
#include <span>

#include "doorward/auth/login_attempt.hpp"
#include "doorward/net/task.hpp"
#include "doorward/pipeline/exchange.hpp"
#include "doorward/runtime/login_gate.hpp"

namespace doorward::pipeline {

/// One request to the identity service, and what stands between the two (docs/security.md, "Logins"): who fails too
/// often is banned, and of the rest so many go in at once. Lives in the frame that forwards the request, in this order:
/// check_address, then the body is read, then enter, then judge. Its place is free again after judge, or when it ends.
class login_visit {
public:
  explicit login_visit(exchange& x);

  /// errc::login_address_banned. Before anything is read from a client who may not try.
  [[nodiscard]] result<void> check_address();

  /// Waits for a place. `body`: all of it, or nothing where it is too long to be a form. errc::login_user_banned,
  /// login_address_banned, login_queue_full, login_queue_timeout, client_gone, bad_request.
  [[nodiscard]] net::task<result<void>> enter(std::span<char const> body);

  /// Counts the attempt by its answer, whose head is x.response. `granted`: a session came of it.
  void judge(bool granted);

private:
  [[nodiscard]] result<void> check_bans();
  [[nodiscard]] result<void> refuse(errc why, milliseconds ban);
  [[nodiscard]] bool has_failed() const;
  void count(obs::banned_by kind, auth::failed_logins& failed, auth::failed_logins::key const& who);

  exchange& x_;
  runtime::login_gate::visit place_;
  bool attempt_ = false;  ///< it may change something: a form that is sent, not a page that is looked at
  bool to_form_ = false;  ///< it goes to the login path itself
  std::optional<auth::failed_logins::key> address_;
  std::optional<auth::failed_logins::key> user_;
};

}  // namespace doorward::pipeline
