#include "doorward/obs/labels.hpp"

#include <array>

namespace doorward::obs {
namespace {

constexpr std::array<std::string_view, method_labels> methods{"GET",    "HEAD",    "POST",    "PUT",   "PATCH",
                                                              "DELETE", "OPTIONS", "CONNECT", "TRACE", "other"};
constexpr std::array<std::string_view, 6> outcomes{"forward", "respond", "redirect", "login", "logout", "own"};
constexpr std::array<std::string_view, lookup_results> lookups{"hit",       "miss",   "ghost", "malformed",
                                                               "coalesced", "cached", "error"};
constexpr std::array<std::string_view, end_reasons> ends{"logout",  "everywhere", "replaced",
                                                         "revoked", "displaced",  "expired"};
constexpr std::array<std::string_view, touch_results> touches{"extended", "gone", "error"};

}  // namespace

method_label to_method_label(std::string_view method) noexcept {
  for (std::size_t i = 0; i + 1 < methods.size(); ++i)
    if (methods[i] == method) return static_cast<method_label>(i);
  return method_label::other;
}

std::string_view name(method_label m) noexcept {
  return methods[static_cast<std::size_t>(m)];
}
std::string_view name(lookup_result r) noexcept {
  return lookups[static_cast<std::size_t>(r)];
}
std::string_view name(end_reason r) noexcept {
  return ends[static_cast<std::size_t>(r)];
}
std::string_view name(touch_result r) noexcept {
  return touches[static_cast<std::size_t>(r)];
}

std::string_view decision::name() const noexcept {
  if (is_refusal()) return about(static_cast<errc>(value_)).code;
  return outcomes[static_cast<std::size_t>(value_ - forward)];
}

std::string_view decision::reason() const noexcept {
  return is_refusal() ? about(static_cast<errc>(value_)).reason : std::string_view{};
}

}  // namespace doorward::obs
