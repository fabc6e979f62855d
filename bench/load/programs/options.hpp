// What the load generator is asked to do.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

struct options {
  int port = 0;
  std::string head;      // the file of a request's head, or a handshake's; ######## in it becomes a session's number
  std::size_t body = 0;  // bytes behind the head
  int connections = 64;
  double rate = 0;  // requests a second; 0 is closed loop
  double seconds = 1;
  long requests = 0;  // stop after so many instead of after a time
  unsigned sessions = 10000;
  int status = 200;
  long length = -1;       // of every answer's body; -1 is any
  std::size_t frame = 0;  // a WebSocket is opened, and frames of so many bytes are sent to be echoed
  bool fresh = false;     // a new connection for each request
  bool tls = false;
};

inline options read_options(int argc, char** argv) {
  options o;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--fresh" || name == "--tls") {
      (name == "--tls" ? o.tls : o.fresh) = true;
      continue;
    }
    const char* value = ++i < argc ? argv[i] : "";
    const auto number = static_cast<unsigned long>(std::atol(value));
    if (name == "--port") {
      o.port = static_cast<int>(number);
    } else if (name == "--head") {
      o.head = value;
    } else if (name == "--body") {
      o.body = number;
    } else if (name == "--connections") {
      o.connections = static_cast<int>(number);
    } else if (name == "--rate") {
      o.rate = std::atof(value);
    } else if (name == "--seconds") {
      o.seconds = std::atof(value);
    } else if (name == "--requests") {
      o.requests = std::atol(value);
    } else if (name == "--sessions") {
      o.sessions = static_cast<unsigned>(number);
    } else if (name == "--status") {
      o.status = static_cast<int>(number);
    } else if (name == "--length") {
      o.length = std::atol(value);
    } else if (name == "--frame") {
      o.frame = std::min(125UL, number);
    } else {
      std::fprintf(stderr, "load: what is %s?\n", argv[i - 1]);
      std::exit(2);
    }
  }
  return o;
}
