#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "doorward/config/model.hpp"
#include "doorward/redis/error_kind.hpp"

/// What every connection to Redis begins with.
namespace doorward::redis {

/// AUTH, where there is a password. Views into the configuration.
class auth_command {
public:
  explicit auth_command(config::redis_config const& c) {
    auto const& password = c.password.reveal();
    if (password.empty()) return;
    words_[size_++] = "AUTH";
    if (!c.username.empty()) words_[size_++] = c.username;
    words_[size_++] = password;
  }
  [[nodiscard]] explicit operator bool() const noexcept { return size_ > 0; }
  [[nodiscard]] std::span<std::string_view const> argv() const noexcept { return {words_.data(), size_}; }

private:
  std::array<std::string_view, 3> words_{};
  std::size_t size_ = 0;
};

/// "ERR AUTH called without any password configured", "ERR invalid password": old and new servers differ.
[[nodiscard]] inline error_kind classify_auth(std::string_view error_reply) noexcept {
  auto const kind = classify(error_reply);
  return kind == error_kind::other ? error_kind::auth : kind;
}

/// What the server says to a handshake, unless it repeats the password.
[[nodiscard]] inline std::string refusal(std::string_view verb, std::string_view text, std::string const& password) {
  std::string line{verb};
  line += " refused";
  if (password.empty() || text.find(password) == std::string_view::npos) {
    line += ": ";
    line += text.substr(0, 160);
  }
  return line;
}

}  // namespace doorward::redis
