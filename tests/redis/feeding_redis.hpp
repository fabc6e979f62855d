#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fake_redis.hpp"

namespace doorward::test {

inline std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

/// Makes a fake_redis speak as one that a feed listens to: every connection is client number 7.
struct feeding {
  explicit feeding(fake_redis& s) : server(s) {
    // PING has another answer on a connection that listens, so nothing may be answered before this is asked.
    server.greets = false;
    server.answer = [this](auto& c, auto const& command) { answer(c, command); };
  }

  void answer(fake_redis::connection& c, fake_redis::command const& command) {
    auto const& verb = command[0];
    if (verb == "PING") {
      ++pings;
      if (silent) return;
      c.send(is_feed(c) ? "*2\r\n" + bulk("pong") + bulk("") : "+PONG\r\n");
    } else if (verb == "SUBSCRIBE") {
      feed = &c;
      if (!refuses_to_listen.empty()) return c.send(refuses_to_listen);
      for (std::size_t i = 1; i < command.size(); ++i)
        c.send("*3\r\n" + bulk("subscribe") + bulk(command[i]) + ":" + std::to_string(i) + "\r\n");
    } else if (verb == "CLIENT" && command[1] == "ID") {
      c.send(":7\r\n");
    } else if (verb == "CLIENT" && command[1] == "CACHING") {
      ++consents;
      c.send(consent);
    } else if (verb == "CLIENT") {
      ++tracked;
      c.send(tracking);
    } else if (verb == "PUBSUB") {
      ++looked;
      c.send(is_elsewhere ? "*0\r\n" : "*1\r\n" + bulk(command[2]));
    } else if (verb == "HGETALL") {
      ++asked;
      if (!holds) c.send(record);
    } else {
      c.send("+OK\r\n");
    }
  }
  bool is_feed(fake_redis::connection const& c) const { return feed == &c; }
  void say(std::string const& payload) {
    feed->send("*3\r\n" + bulk("message") + bulk("__redis__:invalidate") + payload);
  }
  void invalidate(std::string const& key) { say("*1\r\n" + bulk(key)); }

  fake_redis& server;
  fake_redis::connection* feed = nullptr;
  std::string refuses_to_listen;
  std::string tracking = "+OK\r\n";
  std::string consent = "+OK\r\n";
  std::string record = "*2\r\n$6\r\nuserId\r\n$2\r\n42\r\n";
  bool holds = false;         ///< the replies to look-ups
  bool silent = false;        ///< does not answer PING
  bool is_elsewhere = false;  ///< the feed is on another server
  int pings = 0, tracked = 0, consents = 0, looked = 0, asked = 0;
};

}  // namespace doorward::test
