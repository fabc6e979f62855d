// A grant of the identity service: JSON and options, separated by a line feed.
#include "doorward/auth/grant.hpp"
#include "require.hpp"

using namespace doorward;

int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const bytes = text(data, size);
  auto const cut = bytes.find('\n');
  auto const options = cut == bytes.npos ? std::string_view{} : bytes.substr(cut + 1);
  auto const got = auth::parse_grant(bytes.substr(0, cut), options, "userId");
  if (!got) return 0;
  bool has_user = false;
  for (auto const& [name, value] : got->fields) {
    require(!name.starts_with("doorward."), "our own fields cannot be granted");
    has_user = has_user || (name == "userId" && !value.empty());
  }
  require(has_user, "a grant names a user");
  require(got->acr.value_or(0) <= auth::most_level, "a level is one of few");
  require(got->auth_time.value_or(0) <= wall_now(), "nobody has logged in yet to come");
  return 0;
}
