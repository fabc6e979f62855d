#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace doorward::redis {

/// What went wrong between doorward and Redis: the label of doorward_redis_errors_total.
enum class error_kind {
  refused,        ///< the connection was refused, or there is no way to the address
  resolve,        ///< the host name has no address
  timeout,        ///< no connection, or no answer, in time
  reset,          ///< an established connection ended
  protocol,       ///< something that is no reply, is too large, or was not asked for
  auth,           ///< NOAUTH, WRONGPASS, or AUTH refused in another way
  permission,     ///< NOPERM: the ACL user may not run a command or touch a key
  loading,        ///< LOADING: Redis is reading its data set
  busy,           ///< BUSY, TRYAGAIN
  master_down,    ///< MASTERDOWN, CLUSTERDOWN
  out_of_memory,  ///< OOM
  readonly,       ///< READONLY: a replica was asked to write
  moved,          ///< MOVED, ASK: the server is a cluster node and the configuration does not say so
  other,          ///< any other error reply
};
inline constexpr std::size_t error_kinds = static_cast<std::size_t>(error_kind::other) + 1;

/// "refused", "out_of_memory": as in metrics and logs.
[[nodiscard]] std::string_view name(error_kind kind) noexcept;

/// What an operator can do about it, in a sentence; empty where the kind says it all.
[[nodiscard]] std::string_view hint(error_kind kind) noexcept;

/// What the text of an error reply ("LOADING Redis is loading...") stands for, by its first word.
[[nodiscard]] error_kind classify(std::string_view error_reply) noexcept;

/// The first word of an error reply; empty when there is none.
[[nodiscard]] std::string_view error_code_of(std::string_view error_reply) noexcept;

/// Counters of one client, written by its worker only.
struct stats {
  std::uint64_t commands = 0;    ///< sent, handshakes and PINGs not counted
  std::uint64_t reconnects = 0;  ///< connections established after the first
  std::uint64_t attempts = 0;    ///< connections tried
  std::array<std::uint64_t, error_kinds> errors{};
};

}  // namespace doorward::redis
