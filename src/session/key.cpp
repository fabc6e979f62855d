#include "doorward/session/key.hpp"

#include "doorward/base/encoding.hpp"

namespace doorward::session {

void assign_key(std::string& key, config::session_config const& c, std::string_view id) {
  key.assign(c.key.prefix);
  if (c.store_hashed)
    append_hex(key, sha256(id));
  else
    key.append(id);
  key.append(c.key.suffix);
}

std::string key_of(config::session_config const& c, std::string_view id) {
  std::string key;
  assign_key(key, c, id);
  return key;
}

}  // namespace doorward::session
