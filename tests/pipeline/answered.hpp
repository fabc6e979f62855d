#pragma once

#include <string>

#include "catch.hpp"

namespace doorward::pipeline {

/// An answer as it came over the wire.
struct answered {
  unsigned status = 0;
  std::string head;
  std::string body;

  /// The value of a field; "(none)" without it.
  [[nodiscard]] std::string field(std::string const& name) const {
    auto const at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "(none)";
    auto const from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

inline answered parsed(std::string const& text) {
  answered a;
  auto const end = text.find("\r\n\r\n");
  REQUIRE(end != std::string::npos);
  a.head = text.substr(0, end + 2);
  a.body = text.substr(end + 4);
  REQUIRE(a.head.starts_with("HTTP/1.1 "));
  a.status = static_cast<unsigned>(std::stoul(a.head.substr(9, 3)));
  return a;
}

}  // namespace doorward::pipeline
