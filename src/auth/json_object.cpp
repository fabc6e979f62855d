#include "auth/json_object.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace doorward::auth {

using json = nlohmann::json;

// nlohmann keeps the last of two silently, so the keys are counted while it parses.
bool parse_object(std::string_view text, json& out) {
  // nlohmann takes a NUL for the end of all, and would leave what follows unread.
  if (text.find('\0') != text.npos) return false;
  std::vector<std::string> keys;
  bool twice = false;
  auto const see = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::key && depth == 1) {
      auto const& key = parsed.get_ref<std::string const&>();
      twice = twice || std::ranges::find(keys, key) != keys.end();
      keys.push_back(key);
    }
    return depth <= 2;
  };
  out = json::parse(text.begin(), text.end(), see, false);
  return out.is_object() && !twice;
}

}  // namespace doorward::auth
