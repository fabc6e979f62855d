#include "app/usable_cores.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace doorward::app {
namespace {

std::optional<double> quota_v2(std::filesystem::path const& root) {
  std::ifstream in(root / "sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  double microseconds = 0;
  if (!(in >> quota >> period) || period <= 0 || !(std::istringstream(quota) >> microseconds)) return std::nullopt;
  if (microseconds <= 0) return std::nullopt;
  return microseconds / period;
}

std::optional<double> quota_v1(std::filesystem::path const& root) {
  double quota = 0;
  double period = 0;
  std::ifstream quota_file(root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream period_file(root / "sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

unsigned affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT(&set));
}

}  // namespace

unsigned usable_cores(std::filesystem::path const& root) {
  auto cores = affinity();
  for (auto const& quota : {quota_v2(root), quota_v1(root)})
    if (quota) cores = std::min(cores, static_cast<unsigned>(std::ceil(*quota)));
  return std::max(cores, 1u);
}

}  // namespace doorward::app
