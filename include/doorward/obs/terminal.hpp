#pragma once

#include <string>
#include <string_view>

#include "doorward/base/encoding.hpp"

namespace doorward::obs {

/// Appends `text` so that a terminal shows it and does not obey it. JSON's escaping takes care of the C0 controls and
/// of what is not UTF-8; DEL and the C1 controls pass it, and are replaced here.
inline void append_for_terminal(std::string& out, std::string_view text) {
  auto const from = out.size();
  append_json_escaped(out, text);
  for (auto i = from; i < out.size(); ++i) {
    auto const c = static_cast<unsigned char>(out[i]);
    auto const next = i + 1 < out.size() ? static_cast<unsigned char>(out[i + 1]) : 0u;
    if (c == 0x7f) out[i] = '?';
    if (c == 0xc2 && next < 0xa0) out[i] = out[i + 1] = '?';
  }
}

}  // namespace doorward::obs
