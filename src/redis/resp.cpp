#include "redis/resp.hpp"

#include <charconv>

namespace doorward::redis {
namespace {

void append_length(std::string& out, char type, std::size_t n) {
  char digits[24];
  digits[0] = type;
  char* end = std::to_chars(digits + 1, digits + sizeof digits - 2, n).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(digits, end);
}

}  // namespace

void format_command(std::string& out, std::span<std::string_view const> argv) {
  out.clear();
  append_length(out, '*', argv.size());
  for (auto const arg : argv) {
    append_length(out, '$', arg.size());
    out.append(arg);
    out.append("\r\n");
  }
}

}  // namespace doorward::redis
