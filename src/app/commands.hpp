#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "doorward/config/model.hpp"

/// One function a command of the command line. Each returns the exit code.
namespace doorward::app {

/// Loads a file and prints what is wrong with it on stderr (warnings too). Nothing when it cannot be served.
[[nodiscard]] std::optional<config::model> load_or_complain(std::string const& file);

[[nodiscard]] int serve(config::model m);
/// Gets everything ready that `serve` does, short of the network.
[[nodiscard]] int check(config::model const& m, std::string const& file, std::ostream& out, std::ostream& errors);
[[nodiscard]] int show_routes(config::model const& m, std::ostream& out);

struct explain_request {
  std::string method;
  std::string url;  ///< "http://host/path?query" or "/path?query"
  std::string session;
  std::vector<std::string> headers;  ///< "Name: value"
  std::string from = "127.0.0.1";    ///< the client's address
};
[[nodiscard]] int explain(config::model const& m, explain_request const& r, std::ostream& out);

/// "doorward 0.1.0" and what it was built with.
[[nodiscard]] std::string version_text();
[[nodiscard]] std::string version_number();

}  // namespace doorward::app
