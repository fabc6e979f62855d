#include "allocation_count.hpp"

#include <cstdlib>
#include <new>

namespace {
thread_local heap_use so_far;
}

heap_use heap_use_so_far() noexcept {
  return so_far;
}

void* operator new(std::size_t size, std::nothrow_t const&) noexcept {
  ++so_far.taken;
  return std::malloc(size == 0 ? 1 : size);
}
void* operator new(std::size_t size) {
  if (auto* const p = ::operator new(size, std::nothrow)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
  ++so_far.given_back;
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  ::operator delete(p);
}
