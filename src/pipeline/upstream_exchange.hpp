#pragma once

#include "doorward/pipeline/exchange.hpp"
#include "doorward/upstream/cluster.hpp"

namespace doorward::pipeline {

class login_visit;

/// How much one exchange moves before everybody else has a turn: a fast sender and a fast reader must not keep a worker
/// to themselves.
inline constexpr std::size_t bytes_a_turn = 256 * 1024;

/// The upstream's side of one exchange: the connection on loan, its clock, and what may go wrong beside the main line.
/// Lives in the frame of proxy().
struct upstream_exchange {
  explicit upstream_exchange(exchange& x)
      : cluster(x.worker.cluster(x.route->upstream)), watch(x.worker.wheel), body_watch(x.worker.wheel) {}

  upstream::cluster& cluster;
  upstream::lease lease;
  login_visit* login = nullptr;  ///< of a request to the identity service, and only there
  net::watch watch;              ///< waits for the upstream's answer
  net::watch body_watch;         ///< of the coroutine that sends a long request body
  errc body_error{};             ///< why that one stopped early
  bool stop_body = false;
  bool body_sent = true;      ///< nothing of the request is still on its way to the upstream
  bool request_sent = true;   ///< the head went out whole, and the body with it if it was at hand
  bool body_stuck = false;    ///< the upstream took no more of it, and nobody sends on
  bool body_whole = true;     ///< the body was at hand as a whole, and could be sent again
  bool head_started = false;  ///< a byte of an answer has come

  [[nodiscard]] net::stream& stream() const noexcept { return lease.stream(); }
  [[nodiscard]] config::upstream_timeouts const& timeouts() const noexcept { return cluster.config().timeouts; }
};

/// How long an upstream may say nothing. It counts from the moment the request has been sent, and anew after heard().
/// To be woken is not to be heard: TLS reads without a byte of an answer.
class silence {
public:
  silence(exchange const& x, milliseconds longest) noexcept;
  void heard(time_point now) noexcept { until_ = now + longest_; }

private:
  friend net::task<result<void>> await_upstream(exchange& x, upstream_exchange& u, silence& s);
  milliseconds longest_;
  time_point until_;
  time_point next_look_;  ///< at the client
};

/// Waits until an attempt to read from the upstream is worth while. When that takes longer than a moment, the client is
/// looked at now and then: nobody waits for an answer that nobody will read. errc::upstream_timeout or client_gone.
[[nodiscard]] net::task<result<void>> await_upstream(exchange& x, upstream_exchange& u, silence& s);

/// Reads the head of the final answer into x.response (its views are into x.upstream_buffer, which is left in front of
/// the body). errc::upstream_reset, upstream_timeout, upstream_bad_response, client_gone.
[[nodiscard]] net::task<result<void>> read_response_head(exchange& x, upstream_exchange& u);

/// Sends the answer on, head and body, as it comes.
[[nodiscard]] net::task<result<void>> relay_response(exchange& x, upstream_exchange& u);

/// Sends the request body on, as it comes; for bodies that are not in the buffer as a whole. Runs beside the reading of
/// the answer. Leaves the reason in u.body_error when it cannot finish.
[[nodiscard]] net::task<> send_body(exchange& x, upstream_exchange& u);

/// After a 101: bytes in both directions until both ends are done.
[[nodiscard]] net::task<result<void>> run_tunnel(exchange& x, upstream_exchange& u);

/// What a grant in x.response asks for (README.md, "The identity service's side"): mints and stores the session, sets
/// x.set_cookie. `redirect_to` is where the person goes on to, when the identity service has not said so itself.
/// Nothing when there is no grant.
///
/// `falls_short`: the login is good, and less than the place it leads to asks for; errc{} = it will do. To send the
/// person there is to send them back to the login, and round and round where it grants the same again.
struct granted {
  bool any = false;
  std::string redirect_to;
  errc falls_short{};
};
[[nodiscard]] net::task<result<granted>> apply_grant(exchange& x);

/// How an answer's head is changed on its way.
struct head_changes {
  bool no_store = false;      ///< must not be cached, whatever the upstream says
  bool without_body = false;  ///< what the fields say of the body does not hold any more
};
/// Appends the head of the answer as the client gets it. `extra`: complete lines. Counts what is stripped.
void append_response_head(std::string& out, exchange& x, std::string_view extra, head_changes changes);

}  // namespace doorward::pipeline
