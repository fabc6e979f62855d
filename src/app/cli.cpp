#include "doorward/app/cli.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <iostream>
#include <string_view>

#include "app/commands.hpp"
#include "app/session_command.hpp"
#include "doorward/admin/probe.hpp"
#include "doorward/config/load.hpp"

namespace doorward::app {
namespace {

void add_config_option(CLI::App& command, std::string& file) {
  command.add_option("-c,--config", file, "The configuration, a YAML file")->required()->type_name("FILE");
}

// The address of the admin listener as a URL that probe() understands.
std::string livez_url(config::model const& m) {
  if (!m.admin.listen) return {};
  auto const& e = *m.admin.listen;
  if (e.type == config::endpoint::kind::unix_socket) return "unix:" + e.path + ":/livez";
  auto const host = e.host.find(':') == std::string::npos ? e.host : '[' + e.host + ']';
  return "http://" + host + ':' + std::to_string(e.port) + "/livez";
}

int probe(std::string url, std::string const& file) {
  if (url.empty()) {
    auto const m = load_or_complain(file);
    if (!m) return bad_configuration;
    url = livez_url(*m);
  }
  if (url.empty()) {
    std::cerr << "doorward: the admin listener is off; nothing to probe\n";
    return could_not_run;
  }
  auto const answer = admin::probe(url);
  if (!answer) {
    std::cerr << "doorward: " << url << ": " << answer.error().message() << '\n';
    return could_not_run;
  }
  std::cout << url << ": " << answer->status << '\n';
  return answer->status == 200 ? done : could_not_run;
}

// CLI11 would only say that a command is required. Nothing but options of all commands may stand in front of one.
bool names_no_command(CLI::App const& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return false;
  std::string_view const word = argv[1];
  auto const commands = app.get_subcommands({});
  if (std::ranges::find(commands, word, &CLI::App::get_name) != commands.end()) return false;
  std::cerr << "doorward: there is no command `" << word << "`; the commands are";
  char const* separator = " ";
  for (auto const* command : commands) {
    std::cerr << separator << command->get_name();
    separator = ", ";
  }
  std::cerr << '\n';
  return true;
}

std::string check_header(std::string const& written) {
  auto const colon = written.find(':');
  if (colon != 0 && colon != std::string::npos) return {};
  return '`' + written + "` is not a header, which is written 'Name: value'";
}

int dispatch(int argc, char** argv) {
  CLI::App app("An authenticating reverse proxy: sessions are resolved in Redis, identity goes upstream as headers.",
               "doorward");
  app.require_subcommand(1);
  std::string file;

  auto* serve_command = app.add_subcommand("serve", "Serve. SIGTERM or SIGINT drains, a second one ends at once.");
  add_config_option(*serve_command, file);
  auto* check_command = app.add_subcommand("check", "Say what is wrong with a configuration; 0 when nothing is.");
  add_config_option(*check_command, file);
  auto* routes_command = app.add_subcommand("routes", "Show the routes in the order in which they are tried.");
  add_config_option(*routes_command, file);

  explain_request request;
  auto* explain_command = app.add_subcommand("explain", "Show what would be done with a request, step by step.");
  add_config_option(*explain_command, file);
  explain_command->add_option("method", request.method, "GET, POST, ...")->required()->type_name("METHOD");
  explain_command->add_option("url", request.url, "http://host/path or /path")->required()->type_name("URL");
  explain_command
      ->add_option("--session", request.session, "Look this session up in Redis: an id, or the cookie's value")
      ->type_name("ID");
  explain_command->add_option("--header", request.headers, "A header of the request; may be repeated")
      ->type_name("'Name: value'")
      ->expected(1)
      ->take_all()
      ->check(CLI::Validator(check_header, ""));

  explain_command->add_option("--from", request.from, "The client's address; without it 127.0.0.1")
      ->type_name("ADDRESS");

  session_request sessions;
  add_session_command(app, file, sessions);

  std::string url;
  auto* probe_command = app.add_subcommand("probe", "Ask a running doorward whether it lives: for health checks.");
  auto* probe_file = probe_command->add_option("-c,--config", file, "Ask at this configuration's admin listener");
  auto* probe_url = probe_command->add_option("--url", url, "Ask here")->type_name("URL");
  probe_file->type_name("FILE")->excludes(probe_url);

  auto* schema_command = app.add_subcommand("schema", "Print the JSON Schema of the configuration file.");
  auto* version_command = app.add_subcommand("version", "Print the version.");
  app.set_version_flag("--version", version_text());

  if (names_no_command(app, argc, argv)) return bad_usage;
  try {
    app.parse(argc, argv);
    if (*probe_command && file.empty() && url.empty()) throw CLI::RequiredError("probe: one of --config and --url");
  } catch (CLI::ParseError const& e) {
    return app.exit(e) == 0 ? done : bad_usage;
  }

  if (*schema_command) {
    std::cout << config::json_schema() << '\n';
    return done;
  }
  if (*version_command) {
    std::cout << version_text() << '\n';
    return done;
  }
  if (*probe_command) return probe(url, file);

  console terminal{std::cin, std::cout, std::cerr, ::isatty(STDIN_FILENO) != 0, ::isatty(STDOUT_FILENO) != 0};
  int exit_code = done;
  if (!confirmed(sessions, terminal, exit_code)) return exit_code;
  auto m = load_or_complain(file);
  if (!m) return bad_configuration;
  if (*check_command) return check(*m, file, std::cout, std::cerr);
  if (*routes_command) return show_routes(*m, std::cout);
  if (*explain_command) return explain(*m, request, std::cout);
  if (sessions.what != session_request::action::none) return run_session_command(*m, sessions, terminal);
  return serve(std::move(*m));
}

}  // namespace

std::optional<config::model> load_or_complain(std::string const& file) {
  auto loaded = config::load_file(file);
  if (!loaded.problems.empty()) config::print(std::cerr, loaded.problems, loaded.text, file);
  return std::move(loaded.value);
}

int run(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (std::exception const& e) {
    std::cerr << "doorward: " << e.what() << '\n';
    return could_not_run;
  }
}

}  // namespace doorward::app
