#pragma once

#include <coroutine>
#include <utility>

namespace doorward::test {

/// Where a coroutine stops until the test lets it go on: `co_await s;`, later `s.go_on()`.
class suspension {
public:
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) noexcept { waiting_ = h; }
  void await_resume() const noexcept {}

  [[nodiscard]] bool reached() const noexcept { return waiting_ != nullptr; }
  void go_on() { std::exchange(waiting_, {}).resume(); }

private:
  std::coroutine_handle<> waiting_;
};

}  // namespace doorward::test
