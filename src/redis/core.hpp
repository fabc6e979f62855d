#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/redis/client.hpp"
#include "redis/link.hpp"
#include "redis/pending_ring.hpp"
#include "redis/reconnect.hpp"

namespace doorward::redis::detail {

/// The client's working part: keeps one link connected, and pairs replies with who waits for them. Lives as long as the
/// client or a handler under way, whichever is longer; closed, it does nothing any more.
class core final : public link_owner {
public:
  /// Beyond this nobody could be answered in time any more.
  static constexpr std::size_t most_pending = 65'536;

  core(net::turn_queue& turns, config::redis_config const& config, fast_random& random, observer* watch,
       timing const& times);

  void start();
  void close() noexcept;
  [[nodiscard]] bool submit(std::span<std::string_view const> argv, waiter* who) noexcept;
  [[nodiscard]] bool submit_trial(std::span<std::string_view const> argv, waiter* who) noexcept;
  [[nodiscard]] bool submit_tracked(std::span<std::string_view const> argv, waiter* who) noexcept;
  [[nodiscard]] bool tracked() const noexcept { return tracked_; }
  void tell(connection_listener* l) noexcept { listener_ = l; }

  [[nodiscard]] bool connected() const noexcept { return state_ == state::ready; }
  [[nodiscard]] bool ever_connected() const noexcept { return ever_connected_; }
  [[nodiscard]] std::size_t pending() const noexcept { return pending_.size(); }
  [[nodiscard]] std::optional<error_kind> trouble() const noexcept { return trouble_; }
  [[nodiscard]] redis::stats const& stats() const noexcept { return stats_; }
  [[nodiscard]] std::uint64_t batch() const noexcept { return link_.writes() + unanswered_; }

private:
  enum class state { idle, waiting, resolving, connecting, handshake, ready, closed };
  using resolver = boost::asio::ip::basic_resolver<boost::asio::ip::tcp, net::executor>;
  using timer = boost::asio::basic_waitable_timer<steady, boost::asio::wait_traits<steady>, net::executor>;
  struct timer_handler;

  // link_owner
  void on_open() noexcept override;
  void on_reply(reply const& r) noexcept override;
  void on_no_reply(error_kind why) noexcept override;
  void on_closed(error_kind why, std::string_view detail) noexcept override;

  // Connecting (core_connect.cpp).
  void attempt();
  void on_resolved(error_code ec, resolver::results_type const& found);
  void try_next_address();
  void attempt_failed(error_kind why, std::string_view detail) noexcept;
  void retry_later() noexcept;
  void on_handshake(pending_command const& command, reply const& r) noexcept;
  void ready();

  // Commands and their deadlines (core.cpp).
  [[nodiscard]] bool send(std::span<std::string_view const> argv, waiter* who, pending_command::role what) noexcept;
  void finish(waiter* who, error_code how) noexcept;
  [[nodiscard]] bool must_leave(error_kind kind) const noexcept;
  void expire(time_point now) noexcept;
  void take_what_is_here() noexcept;

  // The one timer.
  void on_timer() noexcept;
  [[nodiscard]] time_point next_due(time_point now) noexcept;
  void arm(time_point at) noexcept;

  void report(error_kind kind, std::string_view detail) noexcept;
  void recovered() noexcept;
  void count(error_kind kind) noexcept { ++stats_.errors[static_cast<std::size_t>(kind)]; }

  net::turn_queue& turns_;
  config::redis_config config_;
  fast_random& random_;
  observer* watch_;
  connection_listener* listener_ = nullptr;
  timing times_;
  link link_;
  timer timer_;
  resolver resolver_;
  net::detail::operation_memory timer_memory_;

  state state_ = state::idle;
  pending_ring pending_;
  std::string resp_;              // the command being sent, reused
  std::uint64_t unanswered_ = 0;  // commands that ended without a reply
  bool consented_ = false;        // by the reply before the one that comes next
  bool tracked_ = false;          // what the reply at hand tells of
  redis::stats stats_;
  bool ever_connected_ = false;

  time_point armed_for_ = time_point::max();
  time_point last_sent_{};

  reconnect reconnect_;
  time_point attempt_began_{};
  time_point attempt_ends_{};
  time_point ready_since_{};
  time_point retry_at_{};
  std::uint64_t attempt_ = 0;           // a name that resolves after its attempt has ended is of no use
  std::vector<std::string> addresses_;  // numeric; those not tried yet, last first

  std::array<std::optional<time_point>, error_kinds> told_at_{};
  time_point trouble_at_{};
  std::optional<error_kind> trouble_;  // what went wrong last, if it is not over yet
  bool trouble_told_ = false;          // so its end is told too
};

}  // namespace doorward::redis::detail
