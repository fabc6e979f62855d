#include <fmt/format.h>

#include <algorithm>

#include "config/sections.hpp"

// What `require` of a route needs: a session to look at, and names of its own on the way to the login page.
namespace doorward::config {

void checker::check_step_up() {
  bool levels = false;
  bool ages = false;
  for (std::size_t i = 0; i < doc_.routes.size(); ++i) {
    auto const& r = doc_.routes[i];
    auto const path = join("routes", i);
    if (!seen_.given(path + ".require") || !sound(path + ".require", path + ".auth")) continue;
    levels = levels || r.require.acr > 0;
    ages = ages || r.require.max_age.count() > 0;
    if (r.require.empty()) {
      warning(path + ".require", "this asks for nothing", "give `acr`, `max_age` or both, or leave it out");
    } else if (r.auth == auth_mode::none) {
      error(path + ".require", "`require` needs a session, and with `auth: none` nobody looks for one",
            "use `auth: required`");
    } else if (r.auth == auth_mode::optional) {
      warning(path + ".require", "a request without a session never meets `require`",
              "`auth: required` says so plainly");
    }
  }
  auto const& name = doc_.identity.return_to;
  bool const taken = (levels && name == "acr") || (ages && name == "max_age");
  if (taken && seen_.sound("identity.return_to"))
    error("identity.return_to", fmt::format("`{}` tells the login page what `require` asks for", name),
          "choose another name");
}

}  // namespace doorward::config
