#include "doorward/redis/client.hpp"

#include <vector>

#include "doorward/base/encoding.hpp"
#include "doorward/base/errc.hpp"
#include "redis/core.hpp"

namespace doorward::redis {

script::script(std::string_view source) : source_(source), sha1_(sha1_hex(source)) {}

client::client(net::turn_queue& turns, config::redis_config const& config, fast_random& random, observer* watch,
               timing const& times)
    : core_(new detail::core(turns, config, random, watch, times)) {}

client::~client() {
  core_->close();
}

void client::start() {
  core_->start();
}
void client::close() noexcept {
  core_->close();
}
bool client::connected() const noexcept {
  return core_->connected();
}
bool client::ever_connected() const noexcept {
  return core_->ever_connected();
}
std::size_t client::pending() const noexcept {
  return core_->pending();
}
std::optional<error_kind> client::trouble() const noexcept {
  return core_->trouble();
}
redis::stats const& client::stats() const noexcept {
  return core_->stats();
}

void client::tell(connection_listener* l) noexcept {
  core_->tell(l);
}
std::uint64_t client::batch() const noexcept {
  return core_->batch();
}

bool client::submit(std::span<std::string_view const> argv, waiter& w) noexcept {
  return core_->submit(argv, &w);
}

bool client::submit_tracked(std::span<std::string_view const> argv, waiter& w) noexcept {
  return core_->submit_tracked(argv, &w);
}
bool client::tracked() const noexcept {
  return core_->tracked();
}

void client::fire_and_forget(std::span<std::string_view const> argv) noexcept {
  (void)core_->submit(argv, nullptr);
}

client::operation client::command(std::span<std::string_view const> argv, sink& into) noexcept {
  return operation{*core_, argv, into};
}

client::operation client::try_command(std::span<std::string_view const> argv, sink& into) noexcept {
  return operation{*core_, argv, into, true};
}

bool client::operation::await_ready() noexcept {
  if (tried_ ? core_.submit_trial(argv_, this) : core_.submit(argv_, this)) return false;
  error_ = errc::store_unavailable;
  return true;
}

namespace {

/// Keeps the one reply back that says the script is not there yet.
struct script_sink final : sink {
  explicit script_sink(sink& i) noexcept : into(i) {}
  void on_reply(reply const& r) noexcept override {
    unknown = r.type == reply::kind::error && error_code_of(r.text) == "NOSCRIPT";
    if (!unknown) into.on_reply(r);
  }
  sink& into;
  bool unknown = false;
};

/// Holds the core, not the client: when it goes on after the first reply, the client may be gone.
net::task<error_code> evaluate(boost::intrusive_ptr<detail::core> c, script const& s,
                               std::vector<std::string_view> argv, sink& into) {
  script_sink first{into};
  client::operation by_name{*c, argv, first};
  auto const ec = co_await by_name;
  if (ec || !first.unknown) co_return ec;
  argv[0] = "EVAL";
  argv[1] = s.source();
  client::operation by_text{*c, argv, into};
  co_return co_await by_text;
}

}  // namespace

net::task<error_code> client::eval(script const& s, std::span<std::string_view const> keys,
                                   std::span<std::string_view const> args, sink& into) {
  std::string const count = std::to_string(keys.size());
  std::vector<std::string_view> argv{"EVALSHA", s.sha1(), count};
  argv.insert(argv.end(), keys.begin(), keys.end());
  argv.insert(argv.end(), args.begin(), args.end());
  co_return co_await evaluate(core_, s, std::move(argv), into);
}

}  // namespace doorward::redis
