#pragma once

#include <optional>
#include <span>

#include "doorward/auth/failed_logins.hpp"
#include "doorward/net/task.hpp"
#include "doorward/pipeline/exchange.hpp"
#include "doorward/runtime/login_gate.hpp"

namespace doorward::pipeline {

/// One request to the identity service, and what stands between the two (docs/security.md, "Logins"): who fails too
/// often is banned, and of the rest so many go in at once. Lives in the frame that forwards the request, in this order:
/// check_address, then the body is read, then enter; when the head of the answer is there, leave and judge.
class login_visit {
public:
  explicit login_visit(exchange& x);

  /// errc::login_address_banned. Before anything is read from a client who may not try.
  [[nodiscard]] result<void> check_address();

  /// Waits for a place. `body`: all of it, without chunks. errc::login_user_banned, login_address_banned,
  /// login_queue_full, login_queue_timeout, client_gone, bad_request.
  [[nodiscard]] net::task<result<void>> enter(std::string_view body);

  /// The identity service has done its work: the next may come. Without it, when this ends.
  void leave() noexcept { place_.leave(); }

  /// Counts the attempt by its answer, whose head is x.response. `granted`: a session came of it.
  void judge(bool granted);

private:
  enum class verdict { passed, failed, neither };

  [[nodiscard]] result<void> find_user(std::string_view body);
  [[nodiscard]] result<void> check_bans();
  [[nodiscard]] result<void> refuse(errc why, milliseconds ban);
  [[nodiscard]] errc shed(errc why);
  [[nodiscard]] verdict verdict_of(bool granted) const;
  void count(obs::banned_by kind, auth::failed_logins& failed, auth::failed_logins::key const& who);

  exchange& x_;
  std::optional<auth::failed_logins::key> address_;  ///< nothing where it is nobody's in particular
  runtime::login_gate::visit place_;
  bool attempt_;             ///< it brings something to be judged, as a page that is looked at does not
  bool to_form_;             ///< it goes to the login path itself
  bool unreadable_ = false;  ///< whom it is for cannot be told from its body
  std::optional<auth::failed_logins::key> user_;
};

}  // namespace doorward::pipeline
