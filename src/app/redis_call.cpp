#include "app/redis_call.hpp"

#include <algorithm>

#include "doorward/base/errc.hpp"

namespace doorward::app {
namespace {

// Nobody's page waits for an operator's command, and a step of a walk over all keys may take a while.
constexpr milliseconds patience{10'000};

config::redis_config patient(config::redis_config c) {
  c.command_timeout = std::max(c.command_timeout, patience);
  return c;
}

}  // namespace

redis_call::redis_call(config::model const& m)
    : config_(patient(m.redis)), client_(turns_, config_, random_, this), store_(client_, m.session) {}

redis_call::~redis_call() {
  client_.close();
  context_.poll();
}

bool redis_call::connect() {
  // A connection that times out is known a moment after its time.
  auto const until = steady::now() + config_.connect_timeout + milliseconds{200};
  client_.start();
  while (!client_.connected() && !client_.trouble() && steady::now() < until)
    context_.run_one_until(until);
  return client_.connected();
}

void redis_call::on_trouble(redis::error_kind kind, std::string_view, std::string_view detail) noexcept {
  trouble_ = kind;
  detail_ = detail;
}

std::string redis_call::why(error_code const& ec) const {
  auto words = "Redis at " + config_.server.text + ": ";
  if (trouble_) {
    words.append(redis::name(*trouble_));
    if (!detail_.empty()) words.append(" (").append(detail_).append(")");
    if (auto const hint = redis::hint(*trouble_); !hint.empty()) words.append("; ").append(hint);
  } else {
    words.append(ec ? about(to_errc(ec)).reason : "no answer in time");
  }
  return words;
}

}  // namespace doorward::app
