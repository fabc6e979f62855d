#pragma once

#include <cstdint>
#include <string_view>

namespace doorward::admin {

/// What the kernel knows of this process. Zero where /proc did not tell.
struct process_stats {
  double cpu_seconds = 0;
  double start_time_seconds = 0;  ///< since the epoch
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
};

[[nodiscard]] process_stats read_process_stats();

/// What /proc/self/stat says (proc(5)); `ticks` a second, `boot` in seconds since the epoch. Pure.
void apply_stat(process_stats& to, std::string_view stat, long ticks, double boot, long page_bytes);

}  // namespace doorward::admin
