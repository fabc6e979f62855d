#pragma once

#include <charconv>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/redis/reply.hpp"

namespace doorward::test {

/// A reply of Redis's from tests/session/recorded: a string, or the fields and values of a hash. Views hold as long as
/// it.
class recorded {
public:
  explicit recorded(std::string const& name) : bytes_(whole(name)) {
    std::string_view rest = bytes_;
    if (rest.front() == '*') {
      reply_.type = redis::reply::kind::array;
      for (auto n = take_number(rest); n > 0; --n)
        items_.push_back(take_bulk(rest));
      reply_.items = items_;
    } else {
      reply_.type = redis::reply::kind::string;
      reply_.text = take_bulk(rest);
    }
    if (!rest.empty()) throw std::runtime_error("more than one reply in " + name);
  }
  recorded(recorded const&) = delete;
  recorded& operator=(recorded const&) = delete;

  [[nodiscard]] redis::reply const& reply() const noexcept { return reply_; }
  [[nodiscard]] std::string_view text() const noexcept { return reply_.text; }

  /// Of a hash: the value of a field, to be changed.
  [[nodiscard]] std::string_view& operator[](std::string_view field) {
    for (std::size_t i = 0; i < items_.size(); i += 2)
      if (items_[i] == field) return items_[i + 1];
    throw std::runtime_error("no such field: " + std::string(field));
  }

  /// A file of that folder.
  static std::string whole(std::string const& name) {
    std::ifstream in(DOORWARD_SOURCE_DIR "/tests/session/recorded/" + name, std::ios::binary);
    std::string all{std::istreambuf_iterator<char>(in), {}};
    if (all.empty()) throw std::runtime_error("nothing in " + name);
    return all;
  }

private:
  static std::size_t take_number(std::string_view& rest) {
    std::size_t n = 0;
    auto const end = rest.find("\r\n");
    auto const [stop, ec] = std::from_chars(rest.data() + 1, rest.data() + end, n);
    if (ec != std::errc{} || stop != rest.data() + end) throw std::runtime_error("no number");
    rest.remove_prefix(end + 2);
    return n;
  }
  static std::string_view take_bulk(std::string_view& rest) {
    auto const n = take_number(rest);
    auto const text = rest.substr(0, n);
    rest.remove_prefix(n + 2);
    return text;
  }

  std::string bytes_;
  std::vector<std::string_view> items_;
  redis::reply reply_;
};

}  // namespace doorward::test
