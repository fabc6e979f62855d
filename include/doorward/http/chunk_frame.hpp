#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace doorward::http {

/// What goes before and after a run of data to make it a chunk (RFC 9112 section 7.1), and after the last one.
class chunk_frame {
public:
  /// No data and not the last: nothing at all, because an empty chunk would end the body.
  void wrap(std::size_t data, bool last) noexcept {
    size_ = 0;
    after_ = {};
    if (data > 0) {
      auto const [end, ec] = std::to_chars(size_line_.data(), size_line_.data() + 16, data, 16);
      size_ = static_cast<std::size_t>(end - size_line_.data());
      size_line_[size_++] = '\r';
      size_line_[size_++] = '\n';
      after_ = last ? "\r\n0\r\n\r\n" : "\r\n";
    } else if (last) {
      after_ = "0\r\n\r\n";
    }
  }
  [[nodiscard]] std::string_view before() const noexcept { return {size_line_.data(), size_}; }
  [[nodiscard]] std::string_view after() const noexcept { return after_; }

private:
  std::array<char, 18> size_line_{};
  std::size_t size_ = 0;
  std::string_view after_;
};

}  // namespace doorward::http
