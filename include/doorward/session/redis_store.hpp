#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "doorward/config/model.hpp"
#include "doorward/session/foreign_reader.hpp"
#include "doorward/session/store.hpp"

namespace doorward::session {

class near_lookups;

/// What became of touches; written by the worker only.
struct touch_counters {
  std::uint64_t done = 0;
  std::uint64_t skipped = 0;  ///< another request had just done it
  std::uint64_t gone = 0;     ///< the session had ended meanwhile
  std::uint64_t failed = 0;   ///< Redis did not say
};

/// Sessions in Redis, in the layout of docs/redis.md, or as another program writes them (docs/foreign-sessions.md). Of
/// the latter it reads and ends single ones: a touch does nothing, and whatever needs a user's index is no_route, as
/// there is none. One a worker; `redis` must outlive it. `near`, where there is one, answers look-ups as long as
/// somebody keeps it armed.
class redis_store final : public store {
public:
  redis_store(redis::client& redis, config::session_config const& config, std::shared_ptr<near_cache> near = nullptr);
  ~redis_store() override;

  void touch(std::string_view id) noexcept override;
  [[nodiscard]] net::task<result<created>> create(new_session s) override;
  [[nodiscard]] net::task<result<std::uint64_t>> end(std::string id) override;
  [[nodiscard]] net::task<result<std::uint64_t>> end_all(std::string id) override;
  [[nodiscard]] net::task<result<std::uint64_t>> end_others(std::string id) override;
  [[nodiscard]] net::task<result<std::uint64_t>> end_user(std::string user) override;
  [[nodiscard]] net::task<result<std::uint64_t>> revoke(std::string user, std::string key) override;
  [[nodiscard]] net::task<result<std::vector<listed_session>>> list(std::string user) override;

  [[nodiscard]] touch_counters const& touches() const noexcept;

private:
  struct touching;
  struct recent;

  bool start(lookup& l) noexcept override;
  void take(lookup& l, redis::reply const& r) noexcept override;
  [[nodiscard]] std::shared_ptr<near_cache> near() const noexcept;

  redis::client& redis_;
  config::session_config config_;
  std::string_view command_;                 // that reads a session
  std::string key_;                          // of the look-up being sent; reused
  std::unique_ptr<foreign_reader> foreign_;  // null: sessions are hashes of ours
  std::shared_ptr<touching> touching_;       // touches under way are the other owners
  std::unique_ptr<recent> recent_;
  std::unique_ptr<near_lookups> near_;  // null without a near-cache
};

}  // namespace doorward::session
