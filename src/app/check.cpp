#include <ostream>

#include "app/commands.hpp"
#include "doorward/app/cli.hpp"
#include "doorward/obs/log.hpp"
#include "doorward/runtime/worker.hpp"

namespace doorward::app {

// What a worker gets ready before it serves may fail where the configuration as such is sound: OpenSSL has its own mind
// about keys that are too short.
int check(config::model const& m, std::string const& file, std::ostream& out, std::ostream& errors) {
  obs::log::init(obs::log::level::off, obs::log::format::text);
  obs::log_writer nowhere(-1);
  runtime::shared_state shared(m);
  runtime::worker w(0, 1, m, shared, nowhere, obs::access_style::json);
  std::string error;
  bool const good = w.prepare(error);
  w.stop();
  w.context.run();
  nowhere.stop();
  if (good)
    out << file << ": good\n";
  else
    errors << file << ": error: " << error << '\n';
  return good ? done : bad_configuration;
}

}  // namespace doorward::app
