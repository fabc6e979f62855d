// What the generator is asked for: who, when, how often.
#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <vector>

struct options {
  std::map<std::string, std::string> given;

  const std::string& text(const std::string& name) const { return given.at(name); }
  double number(const std::string& name, double otherwise) const {
    const auto found = given.find(name);
    return found == given.end() ? otherwise : std::stod(found->second);
  }
};

struct person {
  std::string id, login, password, cookie;
  in_addr address{};      // his own, of the loopback's many
  int idle = -1;          // a connection kept for later
  double out_since = -1;  // when he was thrown out; -1: he is in, or never was
};

// In the order of the file, so those with a cookie come first.
inline std::vector<person> read_people(const std::string& file) {
  std::vector<person> people;
  std::ifstream lines(file);
  for (person p; lines >> p.id >> p.login >> p.password >> p.cookie;) {
    p.address.s_addr = htonl(0x7f010000U + 1 + static_cast<std::uint32_t>(people.size()));
    if (p.cookie == "-") p.cookie.clear();
    people.push_back(p);
  }
  return people;
}

// Seconds since the start.
struct schedule {
  double rate, login_rate, surge_rate, surge_from, surge_to, until, patience;

  explicit schedule(const options& o)
      : rate(o.number("rate", 100)),
        login_rate(o.number("login-rate", 1)),
        surge_rate(o.number("surge-rate", 0)),
        surge_from(o.number("surge-from", INFINITY)),
        surge_to(o.number("surge-to", INFINITY)),
        until(o.number("until", 10)),
        patience(o.number("patience", 10)) {}

  // When the login is due that follows the one of `due`: steps of one rate, and of another in the surge.
  double login_after(double due) const {
    if (due >= surge_from && due < surge_to) return std::min(due + 1 / surge_rate, surge_to);
    const double next = due + 1 / login_rate;
    return due < surge_from ? std::min(next, surge_from) : next;
  }
};
