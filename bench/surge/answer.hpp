// What the generator has to know of an HTTP answer.
#pragma once

#include <cctype>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

struct answer {
  int status = 0;
  bool close = false;
  double retry_after = 0;  // seconds; 0 when it does not say
  std::string cookie;      // the value of `sid`, when it is set
  std::string body;
};

inline std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// The answer in `bytes` when it is there as a whole. One without Content-Length is not understood, and never whole.
inline std::optional<answer> whole_answer(std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos || bytes.size() < 12) return std::nullopt;
  answer found;
  found.status = std::atoi(std::string(bytes.substr(9, 3)).c_str());
  std::size_t length = 0;
  bool has_length = found.status == 204;
  for (auto at = bytes.find("\r\n") + 2; at < end + 2;) {
    const auto stop = bytes.find("\r\n", at);
    const auto line = bytes.substr(at, stop - at);
    at = stop + 2;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = lower(line.substr(0, colon));
    auto value = line.substr(colon + 1);
    while (value.starts_with(' '))
      value.remove_prefix(1);
    if (name == "content-length") {
      length = std::strtoul(std::string(value).c_str(), nullptr, 10);
      has_length = true;
    } else if (name == "connection") {
      found.close = lower(value) == "close";
    } else if (name == "retry-after") {
      found.retry_after = std::atof(std::string(value).c_str());
    } else if (name == "set-cookie" && value.starts_with("sid=")) {
      found.cookie = value.substr(4, value.find(';') - 4);
    }
  }
  if (!has_length || bytes.size() < end + 4 + length) return std::nullopt;
  found.body = bytes.substr(end + 4, length);
  return found;
}
