#pragma once

#include <boost/asio/associated_allocator.hpp>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <new>
#include <tuple>
#include <utility>

namespace doorward::net {

namespace detail {

/// Memory for the one Asio operation an awaiter has under way: inside the awaiter, so inside the coroutine's frame.
struct operation_memory {
  static constexpr std::size_t capacity = 192;
  alignas(std::max_align_t) std::byte bytes[capacity];
  bool used = false;
};

template <class T>
struct operation_allocator {
  using value_type = T;
  operation_memory* memory;

  explicit operation_allocator(operation_memory* m) noexcept : memory(m) {}
  template <class U>
  operation_allocator(operation_allocator<U> const& other) noexcept : memory(other.memory) {}  // NOLINT: converts

  T* allocate(std::size_t n) {
    if (!memory->used && n * sizeof(T) <= operation_memory::capacity) {
      memory->used = true;
      return reinterpret_cast<T*>(memory->bytes);
    }
    return static_cast<T*>(::operator new(n * sizeof(T)));
  }
  void deallocate(T* p, std::size_t) noexcept {
    if (reinterpret_cast<std::byte*>(p) == memory->bytes)
      memory->used = false;
    else
      ::operator delete(p);
  }
  template <class U>
  friend bool operator==(operation_allocator const& a, operation_allocator<U> const& b) noexcept {
    return a.memory == b.memory;
  }
};

template <class Initiation, class... Results>
struct async_awaiter {
  Initiation initiate;
  operation_memory memory{};
  std::tuple<Results...> results{};
  std::coroutine_handle<> waiter{};

  explicit async_awaiter(Initiation&& i) : initiate(std::move(i)) {}
  async_awaiter(async_awaiter const&) = delete;
  async_awaiter& operator=(async_awaiter const&) = delete;

  struct handler {
    async_awaiter* self;
    using allocator_type = operation_allocator<std::byte>;
    allocator_type get_allocator() const noexcept { return allocator_type{&self->memory}; }
    void operator()(Results... r) const {
      self->results = std::tuple<Results...>(std::move(r)...);
      self->waiter.resume();
    }
  };

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    waiter = h;
    initiate(handler{this});
  }
  auto await_resume() {
    if constexpr (sizeof...(Results) == 1)
      return std::move(std::get<0>(results));
    else
      return std::move(results);
  }
};

}  // namespace detail

/// Awaits any Asio operation from a task: `auto ec = co_await async<error_code>([&](auto h) { timer.async_wait(h); });`
/// `Results` are the completion handler's parameters; one is returned as it is, several as a tuple.
template <class... Results, class Initiation>
[[nodiscard]] auto async(Initiation initiation) {
  return detail::async_awaiter<Initiation, Results...>{std::move(initiation)};
}

}  // namespace doorward::net
