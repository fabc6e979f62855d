#pragma once

#include <iosfwd>
#include <string>

#include "doorward/config/model.hpp"

namespace CLI {
class App;
}

/// `doorward session list | show | revoke`: people's sessions, for an operator. Straight from Redis, so it works
/// without a running doorward.
namespace doorward::app {

struct session_request {
  enum class action { none, list, show, revoke };
  enum class format { automatic, json, table };

  action what = action::none;
  std::string user;
  std::string handle;
  bool id_from_stdin = false;  ///< `show`: the id is the first line there, because a command line is for all to see
  bool all_users = false;      ///< `revoke`
  bool yes = false;            ///< `revoke`: do not ask
  format how = format::automatic;
};

/// Where a command reads and writes, and who sits there.
struct console {
  std::istream& in;
  std::ostream& out;
  std::ostream& errors;
  bool person_types = false;  ///< `in` is a terminal
  bool person_reads = false;  ///< `out` is a terminal
};

/// Adds the command and what belongs to it; parsing fills in `file` and `r`, which must outlive `app`.
void add_session_command(CLI::App& app, std::string& file, session_request& r);

/// True when `r` may be carried out: it needs no yes, or has one, or somebody who was asked said so. `exit_code` is set
/// otherwise. Before Redis, or even the configuration, is asked anything.
[[nodiscard]] bool confirmed(session_request const& r, console& c, int& exit_code);

/// Carries `r` out; returns the exit code.
[[nodiscard]] int run_session_command(config::model const& m, session_request const& r, console& c);

}  // namespace doorward::app
