#include "doorward/http/reserved_names.hpp"

#include <algorithm>
#include <array>

#include "doorward/base/encoding.hpp"

namespace doorward::http {
namespace {

constexpr char fold(char c) noexcept {
  auto const lower = to_lower(c);
  return (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') ? lower : '-';
}

bool starts_with_folded(std::string_view name, std::string_view prefix) noexcept {
  return name.size() >= prefix.size() &&
         std::ranges::equal(name.substr(0, prefix.size()), prefix, [](char a, char b) { return fold(a) == b; });
}

bool equals_folded(std::string_view name, std::string_view folded) noexcept {
  return name.size() == folded.size() && starts_with_folded(name, folded);
}

constexpr std::uint64_t length_bit(std::size_t n) noexcept {
  return std::uint64_t{1} << std::min<std::size_t>(n, 63);
}

}  // namespace

std::string fold_field_name(std::string_view name) {
  std::string folded(name);
  std::ranges::transform(folded, folded.begin(), fold);
  return folded;
}

reserved_names::reserved_names(std::vector<std::string> const& names) {
  for (auto const& name : names) {
    folded_.push_back(fold_field_name(name));
    lengths_ |= length_bit(name.size());
  }
}

bool reserved_names::contains(std::string_view name) const noexcept {
  if (!name.empty() && (name.front() | 0x20) == 'd' && starts_with_folded(name, "doorward-")) return true;
  if ((lengths_ & length_bit(name.size())) == 0) return false;
  return std::ranges::any_of(folded_, [&](std::string const& folded) { return equals_folded(name, folded); });
}

bool is_forwarding_name(std::string_view name) noexcept {
  if (name.empty()) return false;
  switch (name.front() | 0x20) {
    case 'x': {
      static constexpr std::array<std::string_view, 3> prefixes{"x-forwarded", "x-original-", "x-rewrite-"};
      static constexpr std::array<std::string_view, 3> exact{"x-real-ip", "x-client-ip", "x-cluster-client-ip"};
      return std::ranges::any_of(prefixes, [&](auto p) { return starts_with_folded(name, p); }) ||
             std::ranges::any_of(exact, [&](auto e) { return equals_folded(name, e); });
    }
    case 'f': return equals_folded(name, "forwarded");
    case 't': return equals_folded(name, "true-client-ip");
    default: return false;
  }
}

}  // namespace doorward::http
