#include "doorward/redis/error_kind.hpp"

#include <utility>

namespace doorward::redis {

std::string_view name(error_kind kind) noexcept {
  switch (kind) {
    case error_kind::refused: return "refused";
    case error_kind::resolve: return "resolve";
    case error_kind::timeout: return "timeout";
    case error_kind::reset: return "reset";
    case error_kind::protocol: return "protocol";
    case error_kind::auth: return "auth";
    case error_kind::permission: return "permission";
    case error_kind::loading: return "loading";
    case error_kind::busy: return "busy";
    case error_kind::master_down: return "master_down";
    case error_kind::out_of_memory: return "out_of_memory";
    case error_kind::readonly: return "readonly";
    case error_kind::moved: return "moved";
    case error_kind::other: break;
  }
  return "other";
}

std::string_view hint(error_kind kind) noexcept {
  switch (kind) {
    case error_kind::auth: return "look at redis.username and redis.password";
    case error_kind::permission: return "the ACL user lacks a right; docs/redis.md has the line it needs";
    case error_kind::moved: return "this server is a node of a Redis Cluster, which the configuration does not say";
    case error_kind::readonly: return "this server is a replica; writes need the master";
    case error_kind::protocol: return "is it Redis that listens there? A session may also be too large; docs/redis.md";
    default: return "";
  }
}

std::string_view error_code_of(std::string_view error_reply) noexcept {
  auto const word = error_reply.substr(0, error_reply.find(' '));
  return word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == std::string_view::npos ? word : std::string_view{};
}

error_kind classify(std::string_view error_reply) noexcept {
  static constexpr std::pair<std::string_view, error_kind> known[] = {
      {"NOAUTH", error_kind::auth},
      {"WRONGPASS", error_kind::auth},
      {"NOPERM", error_kind::permission},
      {"LOADING", error_kind::loading},
      {"BUSY", error_kind::busy},
      {"TRYAGAIN", error_kind::busy},
      {"MASTERDOWN", error_kind::master_down},
      {"CLUSTERDOWN", error_kind::master_down},
      {"OOM", error_kind::out_of_memory},
      {"READONLY", error_kind::readonly},
      {"MOVED", error_kind::moved},
      {"ASK", error_kind::moved},
  };
  auto const word = error_code_of(error_reply);
  for (auto const& [code, kind] : known)
    if (word == code) return kind;
  return error_kind::other;
}

}  // namespace doorward::redis
