#include "doorward/session/field_layout.hpp"

#include <bit>

namespace doorward::session {

field_layout::field_layout(config::session_fields const& names, std::span<std::string const> custom) {
  std::string_view const own[own_fields] = {names.user,          names.roles, names.created, names.last_seen,
                                            absolute_until_name, idle_name,   ended_name,    acr_name,
                                            auth_time_name};
  for (std::size_t i = 0; i < own_fields; ++i)
    own_[i] = add(own[i]);
  for (auto const& name : custom)
    add(name);
}

field_layout::slot field_layout::add(std::string_view name) {
  if (auto const known = find(name); known != none) return known;
  auto const s = names_.size();
  names_.emplace_back(name);
  paths_.add(name, s);
  if (s < masked) by_length_[name.size() % lengths] |= std::uint64_t{1} << s;
  return s;
}

field_layout::slot field_layout::find(std::string_view name) const noexcept {
  for (auto rest = by_length_[name.size() % lengths]; rest != 0; rest &= rest - 1) {
    auto const s = static_cast<slot>(std::countr_zero(rest));
    if (names_[s] == name) return s;
  }
  for (slot s = masked; s < names_.size(); ++s)
    if (names_[s] == name) return s;
  return none;
}

}  // namespace doorward::session
