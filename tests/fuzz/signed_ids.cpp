// Signed ids: nothing but what was signed is believed, whatever is done to it.
#include <string>
#include <vector>

#include "doorward/http/cookies.hpp"
#include "require.hpp"

using namespace doorward;

namespace {

http::signed_ids const& keys() {
  static std::vector<redacted> const secrets{redacted{"0123456789abcdef0123456789abcdef"},
                                             redacted{"fedcba9876543210fedcba9876543210"}};
  static http::signed_ids const ids("sid", secrets);
  return ids;
}

// The second key's, as it signed before it was the second.
http::signed_ids const& old_keys() {
  static std::vector<redacted> const secrets{redacted{"fedcba9876543210fedcba9876543210"}};
  static http::signed_ids const ids("sid", secrets);
  return ids;
}

}  // namespace

int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const value = text(data, size);
  auto const id = keys().id_in(value);
  if (!id.empty()) {
    require(http::is_session_id(id), "what is in it is an id");
    require(value == keys().sign(id) || value == old_keys().sign(id), "only what was signed is believed");
  }

  // Two bytes say what is done to the signed form of the rest.
  if (size < 2) return 0;
  auto const rest = value.substr(2);
  auto changed = keys().sign(rest);
  auto const back = keys().id_in(changed);
  require(back == (http::is_session_id(rest) ? rest : std::string_view{}),
          "what was signed comes back, if it is an id");
  if (data[1] == 0) return 0;
  changed[data[0] % changed.size()] ^= static_cast<char>(data[1]);
  require(keys().id_in(changed).empty(), "a changed byte is refused");

  http::session_cookies found;
  http::find_session_cookies(value, "sid", keys(), found);
  require(found.count <= found.looked_at_count && found.looked_at_count <= found.looked_at.size(), "as many as fit");
  for (std::size_t i = 0; i < found.count; ++i)
    require(http::is_session_id(found.ids[i]), "what is found is an id");
  require(!found.present || found.count > 0 || found.trouble, "nothing found has a reason");
  return 0;
}
