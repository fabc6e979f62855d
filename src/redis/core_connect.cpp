#include <boost/asio/ip/address.hpp>
#include <string>

#include "redis/core.hpp"
#include "redis/handshake.hpp"

namespace doorward::redis::detail {

void core::attempt() {
  attempt_began_ = steady::now();
  attempt_ends_ = attempt_began_ + config_.connect_timeout;
  ++attempt_;
  ++stats_.attempts;
  addresses_.clear();

  auto const& server = config_.server;
  if (server.type == config::endpoint::kind::unix_socket) {
    state_ = state::connecting;
    link_.open_unix(server.path);
  } else {
    error_code ec;
    (void)boost::asio::ip::make_address(server.host, ec);
    if (!ec) {
      addresses_.push_back(server.host);
      try_next_address();
    } else {
      state_ = state::resolving;
      // Every attempt asks anew: after a fail-over the name may stand for another machine.
      resolver_.async_resolve(server.host, std::to_string(server.port),
                              [self = boost::intrusive_ptr<core>{this}, n = attempt_](
                                  error_code failed, resolver::results_type const& found) {
                                if (n == self->attempt_) self->on_resolved(failed, found);
                              });
    }
  }
  if (state_ != state::waiting && attempt_ends_ < armed_for_) arm(attempt_ends_);
}

void core::on_resolved(error_code ec, resolver::results_type const& found) {
  if (state_ != state::resolving) return;
  if (ec || found.empty()) {
    attempt_failed(error_kind::resolve, ec ? ec.message() : "the host name has no address");
    return;
  }
  for (auto const& entry : found)
    addresses_.insert(addresses_.begin(), entry.endpoint().address().to_string());
  try_next_address();
}

void core::try_next_address() {
  state_ = state::connecting;
  auto const address = std::move(addresses_.back());
  addresses_.pop_back();
  link_.open_tcp(address, config_.server.port);
}

void core::on_open() noexcept {
  using role = pending_command::role;
  state_ = state::handshake;
  bool sent = true;
  if (auth_command const auth(config_); auth) sent = send(auth.argv(), nullptr, role::auth);
  if (config_.database != 0) {
    auto const number = std::to_string(config_.database);
    std::string_view const select[] = {"SELECT", number};
    sent = sent && send(select, nullptr, role::select);
  }
  // Without this a server that loads its data, or wants a password, would look fine.
  static constexpr std::string_view ping[] = {"PING"};
  sent = sent && send(ping, nullptr, role::hello_ping);
  if (!sent) link_.drop(error_kind::other, "the handshake could not be sent");
}

void core::on_handshake(pending_command const& command, reply const& r) noexcept {
  using role = pending_command::role;
  auto const verb = command.what == role::auth ? "AUTH" : command.what == role::select ? "SELECT" : "PING";
  if (r.type == reply::kind::error) {
    auto const kind = command.what == role::auth ? classify_auth(r.text) : classify(r.text);
    link_.drop(kind, refusal(verb, r.text, config_.password.reveal()));
  } else if (r.type != reply::kind::status) {
    link_.drop(error_kind::protocol, "the handshake's reply is not one");
  } else if (command.what == role::hello_ping) {
    ready();
  }
}

void core::ready() {
  state_ = state::ready;
  ready_since_ = steady::now();
  addresses_.clear();
  if (ever_connected_) ++stats_.reconnects;
  bool const worth_telling = !ever_connected_ || trouble_told_;
  ever_connected_ = true;
  trouble_told_ = false;
  trouble_.reset();
  if (watch_ != nullptr && worth_telling) watch_->on_connected(config_.server.text);
  // The timer is armed for the end of the attempt; a command sent now may be due before.
  arm(next_due(ready_since_));
  if (listener_ != nullptr) listener_->on_up();
}

void core::on_closed(error_kind why, std::string_view detail) noexcept {
  if (state_ == state::closed) return;
  if (state_ == state::ready) {
    if (listener_ != nullptr) listener_->on_down();
    reconnect_.ended_after(std::chrono::duration_cast<milliseconds>(steady::now() - ready_since_));
  }
  if (state_ == state::connecting && !addresses_.empty()) {
    // "localhost" is ::1 first, where Redis may not listen.
    try_next_address();
    return;
  }
  attempt_failed(why, detail);
}

void core::attempt_failed(error_kind why, std::string_view detail) noexcept {
  count(why);
  retry_later();
  report(why, detail);
}

void core::retry_later() noexcept {
  state_ = state::waiting;
  ++attempt_;
  retry_at_ = std::max(steady::now(), attempt_began_ + reconnect_.next(random_));
  if (retry_at_ < armed_for_) arm(retry_at_);
}

}  // namespace doorward::redis::detail
