#include "app/usable_cores.hpp"

#include <sched.h>

#include <algorithm>
#include <string>

#include "catch.hpp"
#include "temporary_folder.hpp"

using doorward::app::usable_cores;
using doorward::test::temporary_folder;

namespace {

constexpr auto v2 = "sys/fs/cgroup/cpu.max";
constexpr auto v1_quota = "sys/fs/cgroup/cpu/cpu.cfs_quota_us";
constexpr auto v1_period = "sys/fs/cgroup/cpu/cpu.cfs_period_us";

/// Restores the affinity of the test at its end.
struct pinned {
  cpu_set_t before;
  pinned() { ::sched_getaffinity(0, sizeof before, &before); }
  ~pinned() { ::sched_setaffinity(0, sizeof before, &before); }

  void to_one() const {
    cpu_set_t one;
    CPU_ZERO(&one);
    for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
      if (!CPU_ISSET(i, &before)) continue;
      CPU_SET(i, &one);
      break;
    }
    REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
  }
};

}  // namespace

TEST_CASE("no quota, all cores this process may run on") {
  temporary_folder const root;
  pinned const p;
  CHECK(usable_cores(root.path()) == static_cast<unsigned>(CPU_COUNT(&p.before)));
  p.to_one();
  CHECK(usable_cores(root.path()) == 1);
}

TEST_CASE("quota of a cgroup, rounded up, never more than there are cores and never none") {
  struct row {
    std::string cpu_max;
    std::string quota;
    std::string period;
    unsigned allowed;
  };
  constexpr unsigned all = 1'000'000;
  auto const [cpu_max, quota, period, allowed] = GENERATE(values<row>({
      {"max 100000\n", "", "", all},
      {"100000 100000\n", "", "", 1},
      {"50000 100000\n", "", "", 1},
      {"1000 100000\n", "", "", 1},
      {"100001 100000\n", "", "", 2},
      {"150000 100000\n", "", "", 2},
      {"200000 100000\n", "", "", 2},
      {"6400000 100000\n", "", "", 64},
      {"25000 50000\n", "", "", 1},
      {"", "", "", all},
      {"", "-1\n", "100000\n", all},
      {"", "100000\n", "100000\n", 1},
      {"", "150000\n", "100000\n", 2},
      {"", "150000\n", "0\n", all},
      {"", "150000\n", "", all},
      {"max 100000\n", "100000\n", "100000\n", 1},
  }));
  CAPTURE(cpu_max, quota, period);
  temporary_folder const root;
  if (!cpu_max.empty()) root.write(v2, cpu_max);
  if (!quota.empty()) root.write(v1_quota, quota);
  if (!period.empty()) root.write(v1_period, period);
  temporary_folder const no_quota;
  CHECK(usable_cores(root.path()) == std::min(allowed, usable_cores(no_quota.path())));
}

TEST_CASE("quota, a file that says nothing") {
  auto const text = GENERATE(as<std::string>{}, "", "\n", "max", "100000", "rubbish 100000\n", "100000 0\n");
  CAPTURE(text);
  temporary_folder const root;
  root.write(v2, text);
  temporary_folder const no_quota;
  CHECK(usable_cores(root.path()) == usable_cores(no_quota.path()));
}
