#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

/// A coroutine type small enough for the hot path: no cancellation slots, no executor in the frame, frames from a
/// free list of the thread. Why not asio::awaitable: docs/adr/0003-own-coroutine-task.md. Everything stays on the
/// thread that started it.
namespace doorward::net {

namespace detail {

/// Coroutine frames come and go by the request; these lists make that free of malloc. Per thread, bounded.
void* allocate_frame(std::size_t size);
void free_frame(void* p, std::size_t size) noexcept;

struct promise_base {
  std::coroutine_handle<> continuation = std::noop_coroutine();

  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* p, std::size_t size) noexcept { free_frame(p, size); }

  std::suspend_always initial_suspend() const noexcept { return {}; }

  struct final_awaiter {
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> h) const noexcept {
      return h.promise().continuation;
    }
    void await_resume() const noexcept {}
  };
  final_awaiter final_suspend() const noexcept { return {}; }
};

template <class T>
struct promise;

}  // namespace detail

/// Gives the calling thread's free frames back to the heap. For the end of a worker's thread.
void release_frames() noexcept;

/// A coroutine that starts when awaited and resumes its awaiter when done. Await it exactly once; an exception it ends
/// with is thrown at the await.
template <class T = void>
class [[nodiscard]] task {
public:
  using promise_type = detail::promise<T>;
  using handle = std::coroutine_handle<promise_type>;

  explicit task(handle h) noexcept : handle_(h) {}
  task(task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  task& operator=(task&&) = delete;
  ~task() {
    if (handle_) handle_.destroy();
  }

  auto operator co_await() && noexcept {
    struct awaiter {
      handle h;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
        h.promise().continuation = awaiting;
        return h;
      }
      T await_resume() const { return h.promise().take(); }
    };
    return awaiter{handle_};
  }

private:
  handle handle_;
};

namespace detail {

template <class T>
struct promise : promise_base {
  std::optional<T> value;
  std::exception_ptr error;

  task<T> get_return_object() noexcept { return task<T>{std::coroutine_handle<promise>::from_promise(*this)}; }
  template <class U>
  void return_value(U&& v) {
    value.emplace(std::forward<U>(v));
  }
  void unhandled_exception() noexcept { error = std::current_exception(); }
  T take() {
    if (error) std::rethrow_exception(error);
    return std::move(*value);
  }
};

template <>
struct promise<void> : promise_base {
  std::exception_ptr error;

  task<void> get_return_object() noexcept { return task<void>{std::coroutine_handle<promise>::from_promise(*this)}; }
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { error = std::current_exception(); }
  void take() const {
    if (error) std::rethrow_exception(error);
  }
};

/// Runs eagerly and frees itself at the end.
struct detached {
  struct promise_type {
    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* p, std::size_t size) noexcept { free_frame(p, size); }
    detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

inline detached run_detached(task<void> t) {
  co_await std::move(t);
}

}  // namespace detail

/// Starts `t` now, on this thread, and lets it go its own way. `t` must not end with an exception: a connection catches
/// its own.
inline void spawn(task<void> t) {
  detail::run_detached(std::move(t));
}

/// A child coroutine that runs beside its parent, within the parent's frame: start it, do other things, `co_await
/// join()`. It must be joined before it is destroyed, and must not end with an exception.
class child {
public:
  child() = default;
  child(child const&) = delete;
  ~child() {
    // Its coroutine would go on in a frame that is gone. Ending here is the lesser evil, and a bug that shows.
    if (running_) std::terminate();
  }
  child& operator=(child const&) = delete;

  void start(task<void> t) {
    running_ = true;
    run(std::move(t), this);
  }
  [[nodiscard]] bool running() const noexcept { return running_; }

  auto join() noexcept {
    struct awaiter {
      child& c;
      bool await_ready() const noexcept { return !c.running_; }
      void await_suspend(std::coroutine_handle<> h) const noexcept { c.joiner_ = h; }
      void await_resume() const noexcept {}
    };
    return awaiter{*this};
  }

private:
  static detail::detached run(task<void> t, child* self) {
    co_await std::move(t);
    self->running_ = false;
    // The joiner may destroy `self`; nothing of it is touched after this line.
    if (auto const joiner = std::exchange(self->joiner_, {})) joiner.resume();
  }

  bool running_ = false;
  std::coroutine_handle<> joiner_;
};

}  // namespace doorward::net
