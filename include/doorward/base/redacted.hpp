#pragma once

#include <string>
#include <utility>

namespace doorward {

/// A secret. It has no stream or format operator, so that it cannot reach a log by accident; whoever needs the value
/// says so with `reveal()`.
class redacted {
public:
  redacted() = default;
  explicit redacted(std::string value) : value_(std::move(value)) {}

  [[nodiscard]] std::string const& reveal() const noexcept { return value_; }
  [[nodiscard]] bool empty() const noexcept { return value_.empty(); }
  friend bool operator==(redacted const&, redacted const&) = default;

private:
  std::string value_;
};

}  // namespace doorward
