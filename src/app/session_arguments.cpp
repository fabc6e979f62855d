#include <CLI/CLI.hpp>
#include <istream>
#include <map>
#include <ostream>

#include "app/session_command.hpp"
#include "app/session_table.hpp"
#include "doorward/app/cli.hpp"

namespace doorward::app {
namespace {

using action = session_request::action;
using format = session_request::format;

std::string check_not_empty(std::string const& written) {
  return written.empty() ? "must not be empty" : std::string{};
}

CLI::Option* add_text(CLI::App& command, std::string const& name, std::string& into, std::string const& type,
                      std::string const& help) {
  return command.add_option(name, into, help)->type_name(type)->check(CLI::Validator(check_not_empty, ""));
}

CLI::App& add_action(CLI::App& session, std::string const& name, std::string const& help, action what,
                     std::string& file, session_request& r) {
  static std::map<std::string, format> const formats{
      {"auto", format::automatic}, {"json", format::json}, {"table", format::table}};
  auto* const command = session.add_subcommand(name, help);
  command->add_option("-c,--config", file, "The configuration, a YAML file")->required()->type_name("FILE");
  command->add_option("--format", r.how, "json or table; a table on a terminal, else JSON")
      ->type_name("FORMAT")
      ->transform(CLI::CheckedTransformer(formats).description(""));
  command->parse_complete_callback([&r, what] { r.what = what; });
  return *command;
}

}  // namespace

void add_session_command(CLI::App& app, std::string& file, session_request& r) {
  auto* const session = app.add_subcommand("session", "Show people's sessions, and end them.");
  session->require_subcommand(1);

  auto& list = add_action(*session, "list", "List the sessions of a user.", action::list, file, r);
  add_text(list, "--user", r.user, "USER", "Whose")->required();

  auto& show = add_action(*session, "show", "Show all that Redis has of one session.", action::show, file, r);
  auto* const user = add_text(show, "--user", r.user, "USER", "Whose");
  auto* const handle = add_text(show, "--handle", r.handle, "HANDLE", "Which one, as in the list");
  auto* const id =
      show.add_flag("--id-stdin", r.id_from_stdin, "The one whose id, or cookie, is on standard input instead");
  user->needs(handle);
  handle->needs(user);
  id->excludes(user)->excludes(handle);

  auto& revoke = add_action(*session, "revoke", "End sessions; says that they were revoked.", action::revoke, file, r);
  auto* const whose = add_text(revoke, "--user", r.user, "USER", "All of this user's");
  auto* const which = add_text(revoke, "--handle", r.handle, "HANDLE", "Only this one, as in the list");
  auto* const all = revoke.add_flag("--all-users", r.all_users, "Everybody's; the ACL user needs SCAN");
  revoke.add_flag("--yes", r.yes, "Do not ask");
  which->needs(whose);
  all->excludes(whose)->excludes(which);

  show.final_callback([&r] {
    if (r.handle.empty() && !r.id_from_stdin) throw CLI::RequiredError("show: --user and --handle, or --id-stdin");
  });
  revoke.final_callback([&r] {
    if (r.user.empty() && !r.all_users) throw CLI::RequiredError("revoke: one of --user and --all-users");
  });
}

bool confirmed(session_request const& r, console& c, int& exit_code) {
  if (r.what != action::revoke || r.yes) return true;
  if (!c.person_types) {
    c.errors
        << "doorward: session revoke asks before it ends anything, and there is no terminal to ask on; say --yes\n";
    exit_code = bad_usage;
    return false;
  }
  auto const whose = "of `" + for_terminal(r.user) + "`";
  if (r.all_users)
    c.errors << "End every session of everybody? [y/N] ";
  else if (r.handle.empty())
    c.errors << "End all sessions " << whose << "? [y/N] ";
  else
    c.errors << "End session " << for_terminal(r.handle) << ' ' << whose << "? [y/N] ";
  c.errors.flush();
  std::string answer;
  std::getline(c.in, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return true;
  c.errors << "doorward: nothing was ended\n";
  exit_code = could_not_run;
  return false;
}

}  // namespace doorward::app
