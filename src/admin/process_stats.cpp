#include "admin/process_stats.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace doorward::admin {
namespace {

// Numbers of the fields that are used, as proc(5) counts them.
constexpr int first_after_name = 3;
constexpr int utime = 14;
constexpr int stime = 15;
constexpr int starttime = 22;
constexpr int vsize = 23;
constexpr int rss = 24;

std::string read_file(char const* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::uint64_t to_number(std::string_view text) noexcept {
  std::uint64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

double boot_time() {
  auto const text = read_file("/proc/stat");
  constexpr std::string_view key = "\nbtime ";
  auto const at = text.find(key);
  return at == std::string::npos ? 0 : static_cast<double>(to_number(std::string_view(text).substr(at + key.size())));
}

}  // namespace

void apply_stat(process_stats& to, std::string_view stat, long ticks, double boot, long page_bytes) {
  // The second field is the program's name in parentheses, and may hold blanks and parentheses itself.
  auto const name_end = stat.rfind(')');
  if (name_end == std::string_view::npos || ticks <= 0) return;
  stat.remove_prefix(name_end + 1);
  auto const hz = static_cast<double>(ticks);
  for (int field = first_after_name; !stat.empty(); ++field) {
    auto const from = stat.find_first_not_of(' ');
    if (from == std::string_view::npos) return;
    stat.remove_prefix(from);
    auto const text = stat.substr(0, stat.find(' '));
    stat.remove_prefix(text.size());
    auto const n = to_number(text);
    switch (field) {
      case utime:
      case stime: to.cpu_seconds += static_cast<double>(n) / hz; break;
      case starttime: to.start_time_seconds = boot + static_cast<double>(n) / hz; break;
      case vsize: to.virtual_bytes = n; break;
      case rss: to.resident_bytes = n * static_cast<std::uint64_t>(page_bytes); return;
      default: break;
    }
  }
}

process_stats read_process_stats() {
  static double const boot = boot_time();
  process_stats s;
  apply_stat(s, read_file("/proc/self/stat"), sysconf(_SC_CLK_TCK), boot, sysconf(_SC_PAGESIZE));
  std::error_code ec;
  std::filesystem::directory_iterator const fds("/proc/self/fd", ec);
  // Less the one that the listing itself needs.
  if (!ec) s.open_fds = static_cast<std::uint64_t>(std::distance(begin(fds), end(fds))) - 1;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) s.max_fds = limit.rlim_cur;
  return s;
}

}  // namespace doorward::admin
