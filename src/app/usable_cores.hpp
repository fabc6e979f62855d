#pragma once

#include <filesystem>

namespace doorward::app {

/// How many cores this process may use: its affinity, and a cgroup's CPU quota rounded up (v2 `cpu.max`, v1
/// `cpu.cfs_quota_us`). At least 1. `root` is "/" outside of tests.
[[nodiscard]] unsigned usable_cores(std::filesystem::path const& root = "/");

}  // namespace doorward::app
