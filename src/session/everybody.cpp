#include "doorward/session/everybody.hpp"

#include <array>
#include <charconv>
#include <optional>

#include "doorward/base/errc.hpp"
#include "session/everybody_script.hpp"
#include "session/scripts.hpp"

namespace doorward::session {
namespace {

constexpr std::string_view keys_a_step = "200";
// As a log-out everywhere keeps its time: longer than any login takes.
constexpr std::string_view ended_kept_ms = "900000";

redis::script const& end_some_script() {
  static std::string const text = scripts::whole(scripts::end_some);
  static redis::script const script{text};
  return script;
}

struct step_sink final : redis::sink {
  void on_reply(redis::reply const& r) noexcept override {
    if (r.type != redis::reply::kind::array || r.malformed || r.oversized || r.items.size() != 2) return;
    auto& to = step.emplace();
    to.refused = r.items[0].empty();
    to.next = r.items[0];
    auto const count = r.items[1];
    if (std::from_chars(count.data(), count.data() + count.size(), to.ended).ec != std::errc{}) step.reset();
  }
  std::optional<swept> step;
};

}  // namespace

net::task<result<swept>> end_some(redis::client& redis, config::session_config const& config, std::string cursor) {
  auto const ended_at = config.key.prefix + "ended:";
  bool const tagged = config.layout == config::key_layout::tagged;
  std::array<std::string_view, 11> const args{cursor,
                                              keys_a_step,
                                              config.fields.user,
                                              config.key.prefix,
                                              config.key.suffix,
                                              config.index.prefix,
                                              config.index.suffix,
                                              ended_at,
                                              config.key.suffix,
                                              ended_kept_ms,
                                              tagged ? "1" : ""};
  step_sink found;
  if (auto const ec = co_await redis.eval(end_some_script(), {}, args, found)) co_return ec;
  if (!found.step) co_return errc::store_protocol;
  co_return *std::move(found.step);
}

}  // namespace doorward::session
